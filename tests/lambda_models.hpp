/// \file
/// The models of fixtures/lambda, which call functions of the user's own.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "compiler/compile.hpp"

namespace nnomc::lambda {

inline const std::string kFolder = NNOM_SOURCE_DIR "/tests/fixtures/lambda/";
inline const std::string kHooks = kFolder + "hooks.hpp";

/// A model, the options it needs, and the functions it calls.
struct Case {
  std::string model;
  std::vector<std::string> lambdas;
  std::vector<std::string> functions;

  std::string path() const { return kFolder + model; }
  std::string numbers() const { return kFolder + model.substr(0, model.find('.')) + ".npz"; }
};

inline void PrintTo(const Case& c, std::ostream* out) { *out << c.model; }

inline HookOptions options_of(const Case& c, const std::string& header) {
  HookOptions options;
  for (const std::string& lambda : c.lambdas) options.lambdas.push_back(parse_lambda(lambda));
  options.header = header;
  return options;
}

inline Samples samples_of(const Case& c, const Graph& graph) {
  std::vector<Source> specs;
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    specs.push_back(c.numbers() + ":input_" + std::to_string(i));
  return {graph, specs, {}};
}

}  // namespace nnomc::lambda
