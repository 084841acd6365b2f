/// \file
/// What the user says of layers that become C++ functions of their own: --lambda and --hooks.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nnom/core.hpp"

namespace nnomc {

/// One --lambda.
struct LambdaOption {
  std::string text;                  ///< as given
  std::string name;                  ///< of a layer, or of a class: all its layers
  std::optional<nnom::Shape> shape;  ///< of the output, without the batch axis
  std::vector<std::pair<std::string, std::string>> parameters;  ///< name and value
};

/// Reads "NAME", "NAME=HxWxC" or either with ",alpha=0.5,steps=3" behind. Throws an Error that
/// shows what is wrong.
LambdaOption parse_lambda(const std::string& text);

/// All of them.
struct HookOptions {
  std::vector<LambdaOption> lambdas;
  std::string header;  ///< with the functions; empty: none
};

}  // namespace nnomc
