#include "compiler/import/tflite_numbers.hpp"

#include <cstdint>
#include <cstring>

#include "compiler/io/array.hpp"

namespace nnomc::tflite {
namespace {

template <class T>
std::vector<double> read_as(std::span<const unsigned char> bytes) {
  std::vector<double> values(bytes.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

}  // namespace

std::optional<std::vector<double>> stored_numbers(format::ElementType type,
                                                  std::span<const unsigned char> bytes) {
  switch (type) {
    case format::ElementType_float32:
      return read_as<float>(bytes);
    case format::ElementType_float16: {
      std::vector<double> values = read_as<uint16_t>(bytes);
      for (double& v : values)
        v = static_cast<double>(half_to_float(static_cast<std::uint16_t>(v)));
      return values;
    }
    case format::ElementType_float64:
      return read_as<double>(bytes);
    case format::ElementType_int8:
      return read_as<int8_t>(bytes);
    case format::ElementType_uint8:
    case format::ElementType_boolean:
      return read_as<uint8_t>(bytes);
    case format::ElementType_int16:
      return read_as<int16_t>(bytes);
    case format::ElementType_int32:
      return read_as<int32_t>(bytes);
    case format::ElementType_int64:
      return read_as<int64_t>(bytes);
    default:
      return {};
  }
}

}  // namespace nnomc::tflite
