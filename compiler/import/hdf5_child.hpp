/// \file
/// Reads HDF5 files nobody vouches for: libhdf5 runs in a process of its own, with limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "compiler/import/hdf5_message.hpp"
#include "compiler/import/hdf5_reader.hpp"

namespace nnomc {

/// What reading one file may take.
struct Hdf5Limits {
  std::chrono::milliseconds time{20'000};
  std::uint64_t address_space = std::uint64_t{4} << 30;  ///< bytes; not enforced under ASan
  std::uint64_t weights = std::uint64_t{2} << 30;        ///< bytes, as float
};

/// Reads the HDF5 file whose content is `image`; `name` is for messages. Error if it is damaged,
/// whether libhdf5 says so, crashes on it, or takes longer or more memory than `limits` allow.
/// Forks, so it should be called before the process starts threads.
Hdf5Content read_hdf5(const std::string& name, std::span<std::byte> image, Hdf5Kind kind,
                      const Hdf5Limits& limits = {});

/// The same with any `work` that writes a message but for its end(): runs it in a process under
/// `limits` and takes what it writes, trusting neither.
Hdf5Content run_confined(const std::string& name, const Hdf5Limits& limits,
                         const std::function<void(Hdf5MessageWriter&)>& work);

}  // namespace nnomc
