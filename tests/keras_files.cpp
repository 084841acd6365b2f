#include "tests/keras_files.hpp"

#include <hdf5.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

namespace nnomc {
namespace {

hid_t check(hid_t id) {
  if (id < 0) throw std::runtime_error("HDF5 failed in a test");
  return id;
}

/// An HDF5 file in memory.
class File {
 public:
  File() {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 1 << 16, false);
    id = check(H5Fcreate("memory", H5F_ACC_TRUNC, H5P_DEFAULT, access));
    H5Pclose(access);
  }
  ~File() { H5Fclose(id); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::string content() const {
    H5Fflush(id, H5F_SCOPE_GLOBAL);
    std::string image(static_cast<std::size_t>(H5Fget_file_image(id, nullptr, 0)), '\0');
    H5Fget_file_image(id, image.data(), image.size());
    return image;
  }

  /// Makes a group with those above it.
  void group(const std::string& path) const {
    const hid_t properties = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(properties, 1);
    H5Gclose(check(H5Gcreate2(id, path.c_str(), properties, H5P_DEFAULT, H5P_DEFAULT)));
    H5Pclose(properties);
  }

  /// A dataset of `type` whose values are given as `memory` type; no dimensions if `shape` is
  /// empty.
  void dataset(const std::string& path, hid_t type, const std::vector<hsize_t>& shape, hid_t memory,
               const void* values, hid_t creation = H5P_DEFAULT) const {
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t space =
        shape.empty() ? H5Screate(H5S_SCALAR)
                      : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t set =
        check(H5Dcreate2(id, path.c_str(), type, check(space), links, creation, H5P_DEFAULT));
    if (values != nullptr) check(H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(links);
  }

  /// A float dataset with 0, 0.5, 1, ...
  void floats(const std::string& path, const std::vector<hsize_t>& shape) const {
    std::vector<float> values(std::accumulate(shape.begin(), shape.end(), std::size_t{1},
                                              [](std::size_t a, hsize_t b) { return a * b; }));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5F * static_cast<float>(i);
    dataset(path, H5T_IEEE_F32LE, shape, H5T_NATIVE_FLOAT, values.data());
  }

  /// A list of strings on the object `path`.
  void texts(const std::string& path, const std::string& name,
             const std::vector<std::string>& texts, bool variable) const {
    const hid_t type = H5Tcopy(H5T_C_S1);
    std::size_t width = 1;
    for (const std::string& text : texts) width = std::max(width, text.size());
    H5Tset_size(type, variable ? H5T_VARIABLE : width);
    if (!variable) H5Tset_strpad(type, H5T_STR_NULLPAD);
    std::vector<const char*> pointers;
    std::string fixed;
    for (const std::string& text : texts) {
      pointers.push_back(text.c_str());
      fixed += text + std::string(width - text.size(), '\0');
    }
    const hsize_t count = texts.size();
    const hid_t space = H5Screate_simple(1, &count, nullptr);
    const void* values = variable ? static_cast<const void*>(pointers.data()) : fixed.data();
    attribute(path, name, type, space, count > 0 ? values : nullptr);
    H5Tclose(type);
  }

  /// One string on the object `path`.
  void text(const std::string& path, const std::string& name, const std::string& value,
            bool variable) const {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, variable ? H5T_VARIABLE : value.size());
    const char* pointer = value.c_str();
    attribute(path, name, type, H5Screate(H5S_SCALAR),
              variable ? static_cast<const void*>(&pointer) : pointer);
    H5Tclose(type);
  }

  hid_t id;

 private:
  void attribute(const std::string& path, const std::string& name, hid_t type, hid_t space,
                 const void* values) const {
    const hid_t object = check(H5Oopen(id, path.c_str(), H5P_DEFAULT));
    const hid_t made = H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (values != nullptr) check(H5Awrite(check(made), type, values));
    H5Aclose(made);
    H5Sclose(space);
    H5Oclose(object);
  }
};

/// The first weight of the file, sound or not.
void add_kernel(const File& file, H5Style style, const std::string& path) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  if (style == H5Style::external) {
    H5Lcreate_external("/etc/passwd", "/", file.id, path.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  } else if (style == H5Style::outside) {
    H5Pset_external(creation, "/etc/passwd", 0, 24);
    file.dataset(path, H5T_IEEE_F32LE, {2, 3}, 0, nullptr, creation);
  } else if (style == H5Style::unstored) {
    file.dataset(path, H5T_IEEE_F32LE, {1 << 14, 1 << 14}, 0, nullptr);
  } else if (style != H5Style::missing) {
    file.floats(path, {2, 3});
  }
  H5Pclose(creation);
}

}  // namespace

std::string make_h5(H5Style style) {
  const File file;
  const bool variable = style == H5Style::variable;
  const std::string root = "model_weights";
  if (style != H5Style::no_config) file.group(root);
  if (style == H5Style::no_config) file.group("layers");
  if (style == H5Style::no_config) return file.content();
  file.text("/", "model_config", kConfig, variable);
  file.text(root, "keras_version", "2.4.0", variable);
  file.text(root, "backend", "tensorflow", variable);
  if (style == H5Style::split) {
    file.texts(root, "layer_names0", {"input", "conv"}, false);
    file.texts(root, "layer_names1", {"dense"}, false);
  } else {
    file.texts(root, "layer_names", {"input", "conv", "dense"}, variable);
  }
  file.group(root + "/input");
  file.texts(root + "/input", "weight_names", {}, variable);
  file.group(root + "/conv/conv");
  add_kernel(file, style, root + "/conv/conv/kernel:0");
  file.floats(root + "/conv/conv/bias:0", {3});
  file.texts(root + "/conv", "weight_names", {"conv/kernel:0", "conv/bias:0"}, variable);
  file.floats(root + "/dense/kernel:0", {3});
  file.floats(root + "/dense/bias:0", {});
  file.texts(root + "/dense", "weight_names", {"kernel:0", "bias:0"}, variable);
  file.floats("optimizer_weights/adam/m:0", {5});
  return file.content();
}

std::string make_weights_h5() {
  const File file;
  const double values[] = {1, -2, 3};
  const hid_t f16 = H5Tcopy(H5T_IEEE_F32LE);  // as h5py describes numpy's float16
  H5Tset_fields(f16, 15, 10, 5, 0, 10);
  H5Tset_size(f16, 2);
  H5Tset_ebias(f16, 15);
  const std::pair<std::string, hid_t> types[] = {
      {"f16", f16}, {"f32", H5T_IEEE_F32LE}, {"f64", H5T_IEEE_F64BE}, {"i8", H5T_STD_I8LE}};
  for (const auto& [name, type] : types) {
    file.dataset("layers/" + name + "/vars/0", type, {3}, H5T_NATIVE_DOUBLE, values);
  }
  const hid_t opaque = H5Tcreate(H5T_OPAQUE, 2);
  const char bfloat16[] = "\x80\x3f\x00\xc0\x40\x40";
  file.dataset("layers/bf16/vars/0", opaque, {3}, opaque, bfloat16);
  const double seven = 7;
  file.dataset("layers/scalar/vars/0", H5T_IEEE_F32LE, {}, H5T_NATIVE_DOUBLE, &seven);
  file.dataset("layers/text/vars/0", H5T_C_S1, {3}, H5T_C_S1, "abc");
  file.dataset("optimizer/vars/0", H5T_STD_I64LE, {}, H5T_NATIVE_DOUBLE, &seven);
  H5Lcreate_soft("/layers", file.id, "loop", H5P_DEFAULT, H5P_DEFAULT);
  H5Tclose(opaque);
  H5Tclose(f16);
  return file.content();
}

}  // namespace nnomc
