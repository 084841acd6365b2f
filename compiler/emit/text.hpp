/// \file
/// Values of the runtime's types as C++ text: what the generated code is made of.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <type_traits>

#include "nnom/ops.hpp"

namespace nnomc {

/// How what pointers point to is called: the name of the array at `pointer`, "nullptr" for none;
/// that of a function.
struct NoNames {
  std::string operator()(const void*) const { return "nullptr"; }
  std::string function() const { return "nullptr"; }
};

/// Name of an enum in C++.
inline const char* enum_text(nnom::Function) { return "nnom::Function"; }
inline const char* enum_text(nnom::Relation) { return "nnom::Relation"; }
inline const char* enum_text(nnom::Beyond) { return "nnom::Beyond"; }
inline const char* enum_text(nnom::Coordinate) { return "nnom::Coordinate"; }
inline const char* enum_text(nnom::Begin) { return "nnom::Begin"; }
inline const char* enum_text(nnom::Interpolation) { return "nnom::Interpolation"; }
inline const char* enum_text(nnom::Form) { return "nnom::Form"; }

/// Name of an element type in C++.
template <class T>
std::string type_text() {
  if constexpr (std::is_same_v<T, int8_t>)
    return "int8_t";
  else if constexpr (std::is_same_v<T, int16_t>)
    return "int16_t";
  else if constexpr (std::is_same_v<T, int32_t>)
    return "int32_t";
  else if constexpr (std::is_same_v<T, uint32_t>)
    return "uint32_t";
  else if constexpr (std::is_same_v<T, int64_t>)
    return "int64_t";
  else if constexpr (std::is_same_v<T, float>)
    return "float";
  else if constexpr (std::is_same_v<T, double>)
    return "double";
  else
    return std::string("nnom::") + T::name;
}

inline std::string value_text(float v) {
  if (std::isinf(v)) return v < 0 ? "-__builtin_huge_valf()" : "__builtin_huge_valf()";
  std::string s = fmt::format("{:.9g}", v);
  if (s.find_first_of(".e") == std::string::npos) s += ".0";
  return s + "f";
}
inline std::string value_text(double v) { return value_text(static_cast<float>(v)); }
inline std::string value_text(const nnom::Image& i) {
  return fmt::format("{{{}, {}, {}}}", i.h, i.w, i.c);
}
inline std::string value_text(const nnom::Size& s) { return fmt::format("{{{}, {}}}", s.h, s.w); }
inline std::string value_text(const nnom::Border& b) {
  return fmt::format("{{{}, {}, {}, {}}}", b.top, b.left, b.bottom, b.right);
}
inline std::string value_text(const nnom::Place& p) {
  if (p.ring) return fmt::format("{{{}, {}, {}}}", p.offset, p.pitch, p.ring);
  return p.pitch ? fmt::format("{{{}, {}}}", p.offset, p.pitch) : fmt::format("{{{}}}", p.offset);
}
inline std::string value_text(const nnom::Shape& s) {
  std::string d;
  for (int i = 0; i < s.rank; ++i) d += fmt::format("{}{}", i ? ", " : "", s[i]);
  return fmt::format("{{{}, {{{}}}}}", s.rank, d);
}

template <class T, class Names = NoNames>
std::string fields_text(const T& value, const Names& names = {});

/// `value` as an initialiser.
template <class T, class Names = NoNames>
std::string value_text(const T& value, const Names& names) {
  if constexpr (std::is_pointer_v<T> && std::is_function_v<std::remove_pointer_t<T>>) {
    return value ? names.function() : "nullptr";
  } else if constexpr (std::is_pointer_v<T>) {
    return names(value);
  } else if constexpr (std::is_array_v<T>) {
    size_t n = std::extent_v<T>;
    const std::string none = value_text(std::remove_all_extents_t<T>{}, names);
    while (n > 1 && value_text(value[n - 1], names) == none) --n;
    std::string s;
    for (size_t i = 0; i < n; ++i) s += (i ? ", " : "") + value_text(value[i], names);
    return "{" + s + "}";
  } else if constexpr (std::is_enum_v<T>) {
    return fmt::format("static_cast<{}>({})", enum_text(value), static_cast<int>(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else if constexpr (requires { value_text(value); }) {
    return value_text(value);
  } else {
    return fields_text(value, names);
  }
}

/// "{.a = 1, .b = {2, 3}}": the fields that differ from their defaults.
template <class T, class Names>
std::string fields_text(const T& value, const Names& names) {
  std::string s;
  const T none{};
  T::fields(value, [&](const char* name, const auto& field) {
    T::fields(none, [&](const char* other, const auto& initial) {
      if constexpr (std::is_same_v<decltype(field), decltype(initial)>)
        if (name == std::string_view(other) &&
            value_text(field, names) != value_text(initial, names))
          s += fmt::format("{}.{} = {}", s.empty() ? "" : ", ", name, value_text(field, names));
    });
  });
  return "{" + s + "}";
}

/// The elements of an array, comma separated, in lines of at most 100 columns.
template <class T>
std::string elements_text(const T* data, size_t count) {
  std::string all, line = "   ";
  for (size_t i = 0; i < count; ++i) {
    std::string item;
    if constexpr (requires { data[i].multiplier; })
      item = fmt::format("{{{}, {}}}", data[i].multiplier, data[i].shift);
    else if constexpr (requires { data[i].half; })
      item = fmt::format("{{{}, {}}}", data[i].half, data[i].shift);
    else if constexpr (std::is_class_v<T>)
      item = fmt::format("{{{:.17g}}}", data[i].factor);
    else
      item = value_text(data[i], NoNames{});
    if (line.size() + item.size() + 2 > 100) all += line + "\n", line = "   ";
    line += " " + item + ",";
  }
  return all + line + "\n";
}

}  // namespace nnomc
