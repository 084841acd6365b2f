/// \file
/// Layers that run in turns (nnom/turns.hpp), as C++.
#pragma once

#include <map>
#include <string>

#include "compiler/program.hpp"

namespace nnomc {

/// Numbers the tensors of the layers in turns, and writes what runs them.
class TurnsText {
 public:
  explicit TurnsText(const Program& program) : p_(program) {}

  /// ", nnom::Turn{...}": what `node` reads and makes.
  std::string turn(const Node& node);
  /// A function that visits those layers, of which `calls` are the calls, and one that runs them.
  std::string functions(const std::string& calls);

 private:
  int number_of(int tensor);

  const Program& p_;
  std::map<int, int> numbers_;
};

}  // namespace nnomc
