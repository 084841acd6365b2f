/// \file
/// Reads a layer's configuration: fields that may be missing, of a wrong type or out of range.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/error.hpp"
#include "nnom/core.hpp"

namespace nnomc::keras {

using Json = nlohmann::json;

/// Most elements of one tensor, and of all weights of a model: far more than a microcontroller
/// holds, far less than a PC.
constexpr int kMaxElements = 1 << 26;

/// Largest kernel, stride, dilation or border.
constexpr int kMaxWindow = 1 << 15;

/// Which layer a message is about.
struct Site {
  std::string file, layer, class_name;

  template <class... T>
  [[noreturn]] void fail(fmt::format_string<T...> format, T&&... arguments) const {
    throw Error("{}: layer '{}' ({}): {}", file, layer, class_name,
                fmt::format(format, std::forward<T>(arguments)...));
  }
};

/// A value for a message: short, whatever it is.
std::string show(const Json& value);

/// "[3, 3, 8]"
template <class Numbers>
std::string show_shape(const Numbers& shape) {
  std::string list;
  for (const auto n : shape) {
    if (!list.empty()) list += ", ";
    list += std::to_string(n);
  }
  return fmt::format("[{}]", list);
}

/// The member `key` of `object`, or nullptr where it is missing or null, or `object` is none.
const Json* find(const Json& object, std::string_view key);

/// The text in member `key`, or "" where there is none.
std::string text_or_empty(const Json& object, std::string_view key);

/// An array of numbers.
struct Constant {
  std::vector<int> shape;
  std::vector<float> data;
};

/// A layer's "config". Every function throws an Error that names layer and field if the field has
/// the wrong type or is out of range.
class Config {
 public:
  Config(const Json& fields, Site site);

  const Site& site() const { return site_; }
  const Json& fields() const { return *fields_; }
  const Json* find(std::string_view key) const { return keras::find(*fields_, key); }

  /// A whole number of lo to hi. Error if it is missing.
  int integer(std::string_view key, int lo, int hi) const;
  int integer_or(std::string_view key, int otherwise, int lo, int hi) const;
  bool flag(std::string_view key, bool otherwise) const;
  float number(std::string_view key, float otherwise) const;
  std::string text(std::string_view key, std::string otherwise) const;

  /// A list of whole numbers of lo to hi; one number is a list of one.
  std::vector<int> integers(std::string_view key, int lo, int hi) const;

  /// Kernel size and the like of a layer that slides along `axes` axes (1: {1, n}); a missing
  /// field is `otherwise`.
  nnom::Size size(std::string_view key, int axes, nnom::Size otherwise) const;

  /// An axis of a tensor of `rank` axes, counted without the batch. In the file it is counted with
  /// it, or from the end.
  int axis(std::string_view key, int otherwise, int rank) const;

  int as_integer(const Json& value, std::string_view key, int lo, int hi) const;
  float as_number(const Json& value, std::string_view key) const;
  /// A number, nested lists of them, or what Keras writes for a NumPy array.
  Constant as_constant(const Json& value, std::string_view key) const;

 private:
  const Json* fields_;
  Site site_;
};

}  // namespace nnomc::keras
