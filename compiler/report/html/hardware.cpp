#include "compiler/report/html/hardware.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler/error.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {

std::string core_title(const std::string& core) {
  if (core == "cortex-m0plus") return "Cortex-M0+";
  if (core == "riscv32") return "RV32IMC";
  return core.starts_with("cortex-m") ? "Cortex-M" + core.substr(8) : core;
}

std::vector<Hardware> all_hardware() {
  const std::string file = data_dir() + "/ports/hardware.json";
  try {
    std::vector<Hardware> all;
    const auto json = nlohmann::json::parse(as_text(read_file(file)));
    for (const auto& entry : json.at("boards")) {
      Hardware h;
      entry.at("name").get_to(h.name);
      entry.at("title").get_to(h.title);
      entry.at("chip").get_to(h.chip);
      entry.at("core").get_to(h.core);
      h.note = entry.value("note", "");
      h.clock_hz = entry.at("clock_mhz").get<double>() * 1e6;
      h.ram_bytes = entry.at("ram_kib").get<std::int64_t>() * 1024;
      h.flash_bytes = entry.at("flash_kib").get<std::int64_t>() * 1024;
      all.push_back(std::move(h));
    }
    return all;
  } catch (const nlohmann::json::exception& error) {
    throw Error("{}: {}", file, error.what());
  }
}

Hardware find_hardware(const std::string& name) {
  const std::vector<Hardware> all = all_hardware();
  const auto found = std::ranges::find(all, name, &Hardware::name);
  if (found != all.end()) return *found;
  std::string names;
  for (const Hardware& h : all) names += (names.empty() ? "" : ", ") + h.name;
  throw Error("there is no board '{}'; there are {}", name, names);
}

Hardware hardware_with(const std::string& core) {
  const std::vector<Hardware> all = all_hardware();
  const auto found = std::ranges::find(all, core, &Hardware::core);
  if (found == all.end()) throw Error("ports/hardware.json has no board with a {}", core);
  return *found;
}

}  // namespace nnomc
