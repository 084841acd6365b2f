#include "compiler/io/array.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/io/zip.hpp"

namespace nnomc {
namespace {

/// An element of type f16, which C++20 has no type for.
struct Half {
  std::uint16_t bits;
  explicit operator float() const { return half_to_float(bits); }
  explicit operator double() const { return static_cast<double>(half_to_float(bits)); }
};

/// An element of type b8.
struct Bool {
  std::uint8_t value;
  explicit operator float() const { return value != 0 ? 1.0F : 0.0F; }
  explicit operator double() const { return value != 0 ? 1.0 : 0.0; }
};

/// Calls `use` with a value of the C++ type that stores `dtype`.
template <class Use>
auto with_type(DType dtype, Use use) {
  switch (dtype) {
    case DType::b8:
      return use(Bool{});
    case DType::u8:
      return use(std::uint8_t{});
    case DType::i8:
      return use(std::int8_t{});
    case DType::u16:
      return use(std::uint16_t{});
    case DType::i16:
      return use(std::int16_t{});
    case DType::u32:
      return use(std::uint32_t{});
    case DType::i32:
      return use(std::int32_t{});
    case DType::u64:
      return use(std::uint64_t{});
    case DType::i64:
      return use(std::int64_t{});
    case DType::f16:
      return use(Half{});
    case DType::f32:
      return use(float{});
    case DType::f64:
      break;
  }
  return use(double{});
}

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// The arrays in an .npz archive: its members' names without ".npy".
std::vector<std::string> keys_of(const Zip& zip) {
  std::vector<std::string> keys;
  for (std::string name : zip.names()) {
    if (!name.ends_with(".npy")) continue;
    name.resize(name.size() - 4);
    keys.push_back(std::move(name));
  }
  return keys;
}

/// "'x', 'y'", cut short after 20.
std::string list(const std::vector<std::string>& keys) {
  if (keys.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < keys.size() && i < 20; ++i) {
    text += (i == 0 ? "'" : ", '") + keys[i] + "'";
  }
  return keys.size() > 20 ? text + ", ..." : text;
}

/// The path and the key in "x.npz:key". Paths may hold colons too, so the file system decides.
std::pair<std::string, std::string> split(const std::string& spec) {
  if (is_file(spec)) return {spec, ""};
  for (auto colon = spec.find(':'); colon != std::string::npos; colon = spec.find(':', colon + 1)) {
    const std::string path = spec.substr(0, colon);
    if (is_file(path)) return {path, spec.substr(colon + 1)};
  }
  // There is no such file: the message shall name it without the key.
  const auto end = spec.find(".npz:");
  return {end == std::string::npos ? spec : spec.substr(0, end + 4), ""};
}

Array read_npz(const std::string& path, std::string key) {
  const Zip zip(path);
  if (key.empty()) {
    const std::vector<std::string> keys = keys_of(zip);
    if (keys.size() != 1) {
      throw Error("{}: say which array to use, as in {}:{}; it holds: {}", path, path,
                  keys.empty() ? "key" : keys.front(), list(keys));
    }
    key = keys.front();
  } else if (!zip.contains(key + ".npy")) {
    throw Error("{}: has no array '{}'; it holds: {}", path, key, list(keys_of(zip)));
  }
  return parse_npy(path + ":" + key, zip.read(key + ".npy", memory_limit()));
}

}  // namespace

std::size_t bytes_of(DType dtype) {
  return with_type(dtype, [](auto element) { return sizeof element; });
}

std::string_view name_of(DType dtype) {
  constexpr std::array<std::string_view, 12> kNames = {"bool",  "uint8",   "int8",    "uint16",
                                                       "int16", "uint32",  "int32",   "uint64",
                                                       "int64", "float16", "float32", "float64"};
  return kNames.at(static_cast<std::size_t>(dtype));
}

float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? HUGE_VALF : std::nanf("");
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

std::int64_t Array::size() const {
  return static_cast<std::int64_t>(bytes.size() / bytes_of(dtype));
}

double Array::at(std::int64_t i) const {
  if (i < 0 || i >= size()) throw Error("element {} of an array of {}", i, size());
  return with_type(dtype, [&](auto element) {
    using T = decltype(element);
    return static_cast<double>(load<T>(bytes.data() + static_cast<std::size_t>(i) * sizeof(T)));
  });
}

void Array::read(std::int64_t first, std::span<float> out) const {
  const auto count = static_cast<std::int64_t>(out.size());
  if (first < 0 || first > size() || count > size() - first)
    throw Error("elements {} to {} of an array of {}", first, first + count, size());
  with_type(dtype, [&](auto element) {
    using T = decltype(element);
    const std::byte* from = bytes.data() + static_cast<std::size_t>(first) * sizeof(T);
    for (float& value : out) {
      value = static_cast<float>(load<T>(from));
      from += sizeof(T);
    }
  });
}

Array read_array(const std::string& spec) {
  const auto [path, key] = split(spec);
  if (Zip::is_zip(read_start(path, 4))) return read_npz(path, key);
  if (!key.empty()) throw Error("{}: is a single array, so it has no key '{}'", path, key);
  return parse_npy(path, read_file(path));
}

}  // namespace nnomc
