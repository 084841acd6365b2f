/// \file
/// Arrays as numpy stores them (.npy, .npz): calibration and test data, inputs, outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nnomc {

/// Element types, named by kind and bits. b8: one byte, any value but 0 is true.
enum class DType { b8, u8, i8, u16, i16, u32, i32, u64, i64, f16, f32, f64 };

/// Bytes an element takes.
std::size_t bytes_of(DType dtype);

/// The type's name as numpy spells it ("uint8", "float32").
std::string_view name_of(DType dtype);

/// The value of an IEEE 754 half-precision number given by its bits.
float half_to_float(std::uint16_t bits);

/// A dense array: last dimension varies fastest, elements in the machine's byte order. The data
/// keeps its type, as 300 MB of uint8 would be 1.2 GB of float.
struct Array {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  ///< no dimensions: a single number
  std::vector<std::byte> bytes;     ///< size() elements

  /// The number of elements.
  std::int64_t size() const;
  /// Element `i` in storage order; Error if there is none. 64-bit integers round to double.
  double at(std::int64_t i) const;
  /// Converts the elements [first, first + out.size()) to float; Error if the array ends earlier.
  void read(std::int64_t first, std::span<float> out) const;
};

/// Reads what `spec` names: "x.npy", "x.npz" (which must hold one array) or "x.npz:key". The
/// content decides between npy and npz. Fortran order and other byte orders are converted. Error
/// if the file can't be read or is damaged, if the key is missing (the message lists the keys), or
/// if the elements aren't real numbers.
Array read_array(const std::string& spec);

/// The array in `file`, the content of an .npy file of format 1 to 3; `name` is for messages.
Array parse_npy(const std::string& name, std::vector<std::byte> file);

/// Writes `array` as an .npy file, atomically.
void write_npy(const std::string& path, const Array& array);

}  // namespace nnomc
