#include "compiler/hooks/options.hpp"

#include <charconv>

#include "compiler/emit/names.hpp"
#include "compiler/error.hpp"

namespace nnomc {
namespace {

constexpr int kMaxSize = 1 << 26;  // of an axis

/// "28x28x1"; nothing if it is none.
std::optional<nnom::Shape> shape_in(const std::string& text) {
  nnom::Shape shape;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (shape.rank < 6) {
    int& n = shape.d[shape.rank++];
    const auto [after, error] = std::from_chars(at, end, n);
    if (error != std::errc{} || n < 1 || n > kMaxSize) return {};
    if (after == end) return shape;
    if (*after != 'x') return {};
    at = after + 1;
  }
  return {};
}

}  // namespace

LambdaOption parse_lambda(const std::string& text) {
  LambdaOption option;
  option.text = text;
  const size_t name_end = std::min(text.find_first_of("=,"), text.size());
  option.name = text.substr(0, name_end);
  if (option.name.empty())
    throw Error("--lambda {}: it begins with the name of a layer: NAME=HxWxC,alpha=0.5", text);
  size_t at = name_end;
  if (at < text.size() && text[at] == '=') {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string shape = text.substr(at + 1, end - at - 1);
    option.shape = shape_in(shape);
    if (!option.shape)
      throw Error("--lambda {}: '{}' is not a shape such as 28x28x1, without the batch", text,
                  shape);
    at = end;
  }
  while (at < text.size()) {
    const size_t end = std::min(text.find(',', at + 1), text.size());
    const std::string pair = text.substr(at + 1, end - at - 1);
    const size_t equals = pair.find('=');
    if (equals == std::string::npos)
      throw Error("--lambda {}: '{}' is not a parameter such as alpha=0.5", text, pair);
    option.parameters.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    if (option.parameters.back().first != usable_name(option.parameters.back().first))
      throw Error("--lambda {}: '{}' can't be the name of a parameter in C++", text,
                  option.parameters.back().first);
    at = end;
  }
  return option;
}

}  // namespace nnomc
