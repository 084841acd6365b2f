/// \file
/// The boards that a report tells about: ports/hardware.json.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nnomc {

/// What a board has. An application needs some of it itself.
struct Hardware {
  static constexpr const char* usual = "nano-33-ble";

  std::string name;   ///< on the command line: "nano-33-ble"
  std::string title;  ///< "Arduino Nano 33 BLE"
  std::string chip;   ///< "nRF52840"
  std::string core;   ///< as in ports/boards.json
  std::string note;   ///< on its memory; may be empty
  double clock_hz = 0;
  std::int64_t ram_bytes = 0;  ///< the largest piece of it
  std::int64_t flash_bytes = 0;
};

/// A core as its maker writes it: "Cortex-M0+", "RV32IMC".
std::string core_title(const std::string& core);

/// All boards, in the order of the file.
std::vector<Hardware> all_hardware();

/// The board called `name`. Error that lists the names if there is none.
Hardware find_hardware(const std::string& name);

/// The first board with `core`. Error if there is none.
Hardware hardware_with(const std::string& core);

}  // namespace nnomc
