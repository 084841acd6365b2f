#include "python/binding/arrays.hpp"

#include <cstring>
#include <map>

#include "compiler/error.hpp"

namespace py = pybind11;

namespace nnomc::binding {
namespace {

DType dtype_of(const std::string& name, const py::array& array) {
  static const std::map<std::pair<char, py::ssize_t>, DType> kTypes = {
      {{'b', 1}, DType::b8},  {{'u', 1}, DType::u8},  {{'i', 1}, DType::i8},
      {{'u', 2}, DType::u16}, {{'i', 2}, DType::i16}, {{'u', 4}, DType::u32},
      {{'i', 4}, DType::i32}, {{'u', 8}, DType::u64}, {{'i', 8}, DType::i64},
      {{'f', 2}, DType::f16}, {{'f', 4}, DType::f32}, {{'f', 8}, DType::f64}};
  const auto found = kTypes.find({array.dtype().kind(), array.itemsize()});
  if (found == kTypes.end())
    throw Error("{}: its elements are {}, not real numbers of 64 bits at most", name,
                py::str(array.dtype()).cast<std::string>());
  return found->second;
}

}  // namespace

std::vector<Source> sources_of(const std::vector<NamedArray>& arrays) {
  std::vector<Source> sources;
  for (const auto& [name, array] : arrays) {
    Array copy;
    copy.dtype = dtype_of(name, array);
    copy.shape.assign(array.shape(), array.shape() + array.ndim());
    const auto* bytes = static_cast<const std::byte*>(array.data());
    copy.bytes.assign(bytes, bytes + array.nbytes());
    sources.emplace_back(name, std::move(copy));
  }
  return sources;
}

py::array array_of(const std::vector<float>& values, const std::vector<py::ssize_t>& shape) {
  return py::array_t<float>(shape, values.data());
}

py::array array_of(const std::vector<std::byte>& stored, int bits,
                   const std::vector<py::ssize_t>& shape) {
  return {py::dtype(bits == 8 ? "int8" : "int16"), shape, stored.data()};
}

py::tuple tuple_of(const Shape& shape) {
  py::tuple sizes(static_cast<std::size_t>(shape.rank));
  for (int i = 0; i < shape.rank; ++i) sizes[static_cast<std::size_t>(i)] = shape[i];
  return sizes;
}

}  // namespace nnomc::binding
