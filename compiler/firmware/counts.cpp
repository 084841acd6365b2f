#include "compiler/firmware/counts.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

namespace nnomc {
namespace {

std::string demangle(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 ? name.get() : symbol;
}

}  // namespace

void read_counts(const std::string& file, bool has_cycles, Run& run) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string tool, what, symbol;
    Work work;
    words >> tool >> what;
    if (what == "layer") {
      std::size_t index = 0;
      if (words >> index >> work.instructions >> work.cycles) run.layers.push_back(work);
    } else if (words >> work.instructions >> work.cycles) {
      if (what == "total") {
        run.instructions = work.instructions;
        if (has_cycles) run.cycles = work.cycles;
      } else if (words >> symbol) {
        run.functions.push_back({demangle(symbol), work});
      }
    }
  }
}

}  // namespace nnomc
