#include "compiler/import/hdf5_reader.hpp"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <bit>
#include <set>
#include <utility>

#include "compiler/error.hpp"

namespace nnomc {
namespace {

constexpr int kMaxDepth = 64;           // of groups
constexpr int kMaxObjects = 1'000'000;  // groups and datasets
constexpr std::uint64_t kMaxText = 256U << 20;

/// The message for whatever libhdf5 finds wrong itself.
[[noreturn]] void damaged(const std::string& where) {
  throw Error("can't be read: '{}' is damaged. Save the file again from Keras", where);
}

/// An HDF5 identifier that is closed at the end of its scope.
template <herr_t (*close)(hid_t)>
class Handle {
 public:
  /// Takes `id` over; Error if it stands for the failure to open `what`.
  Handle(hid_t id, const std::string& what) : id_(id) {
    if (id < 0) damaged(what);
  }
  ~Handle() { close(id_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }  // NOLINT: as the C functions want it.

 private:
  hid_t id_;
};
using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Object = Handle<H5Oclose>;
using Dataset = Handle<H5Dclose>;
using Space = Handle<H5Sclose>;
using Type = Handle<H5Tclose>;
using Attribute = Handle<H5Aclose>;
using Properties = Handle<H5Pclose>;

bool has_attribute(hid_t object, const std::string& name) {
  return H5Aexists(object, name.c_str()) > 0;
}

/// Reads strings of fixed length, padded with zeros or not.
std::vector<std::string> fixed_texts(hid_t attribute, hid_t type, std::size_t count,
                                     const std::string& name) {
  const std::size_t width = H5Tget_size(type);
  if (width == 0 || width > kMaxText || count > kMaxText / width) damaged(name);
  std::string bytes(width * count, '\0');
  if (H5Aread(attribute, type, bytes.data()) < 0) damaged(name);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text = bytes.substr(i * width, width);
    text.resize(std::min(text.find('\0'), text.size()));
    texts.push_back(std::move(text));
  }
  return texts;
}

/// Reads strings that the library allocates one by one.
std::vector<std::string> variable_texts(hid_t attribute, hid_t type, hid_t space, std::size_t count,
                                        const std::string& name) {
  if (count > kMaxObjects) damaged(name);
  std::vector<char*> pointers(count);
  if (H5Aread(attribute, type, pointers.data()) < 0) damaged(name);
  std::vector<std::string> texts;
  for (const char* text : pointers) texts.emplace_back(text == nullptr ? "" : text);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
  return texts;
}

/// The strings of an attribute, which is a single one or a list.
std::vector<std::string> read_texts(hid_t object, const std::string& name) {
  const Attribute attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), name);
  const Type type(H5Aget_type(attribute), name);
  const Space space(H5Aget_space(attribute), name);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count < 0) damaged(name);
  if (count == 0) return {};  // Keras writes the empty list as one of floats.
  if (H5Tget_class(type) != H5T_STRING) damaged(name);
  const auto size = static_cast<std::size_t>(count);
  return H5Tis_variable_str(type) > 0 ? variable_texts(attribute, type, space, size, name)
                                      : fixed_texts(attribute, type, size, name);
}

/// A list that Keras split over `name`0, `name`1, ... because an attribute holds only 64 KiB.
std::vector<std::string> read_list(hid_t object, const std::string& name) {
  if (has_attribute(object, name)) return read_texts(object, name);
  std::vector<std::string> all;
  for (int i = 0; has_attribute(object, name + std::to_string(i)); ++i) {
    for (std::string& text : read_texts(object, name + std::to_string(i))) {
      all.push_back(std::move(text));
    }
    if (all.size() > kMaxObjects) damaged(name);
  }
  return all;
}

/// A single string, or "" if there is no such attribute.
std::string read_text(hid_t object, const std::string& name) {
  if (!has_attribute(object, name)) return "";
  std::vector<std::string> texts = read_texts(object, name);
  if (texts.size() != 1) damaged(name);
  return std::move(texts.front());
}

/// Reads datasets and keeps count of how much that was.
class Weights {
 public:
  /// The file has `file_bytes`; its weights may take `max_bytes` as float.
  Weights(std::uint64_t file_bytes, std::uint64_t max_bytes, Hdf5MessageWriter& out)
      : file_bytes_(file_bytes), left_(max_bytes), out_(out) {}

  /// Sends dataset `path` of `parent`, known to the importer as `name`, unless it was sent before
  /// or doesn't hold numbers.
  void send(hid_t parent, const std::string& path, const std::string& name) {
    if (!seen_.insert(name).second) return;
    const Dataset dataset(H5Dopen2(parent, path.c_str(), H5P_DEFAULT), name);
    const Type type(H5Dget_type(dataset), name);
    const H5T_class_t kind = H5Tget_class(type);
    const std::size_t width = H5Tget_size(type);
    const bool bfloat16 = kind == H5T_OPAQUE && width == 2;  // h5py has no type for it.
    if (kind != H5T_FLOAT && kind != H5T_INTEGER && !bfloat16) return;
    const Space space(H5Dget_space(dataset), name);
    const std::vector<std::int64_t> shape = shape_of(space, name);
    const std::size_t size = check_size(dataset, shape, width, name);
    std::vector<float> data(size);
    if (size > 0 && bfloat16) {
      read_bfloat16(dataset, type, data, name);
    } else if (size > 0 &&
               H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()) < 0) {
      damaged(name);
    }
    out_.weight(name, shape, data);
  }

 private:
  static std::vector<std::int64_t> shape_of(hid_t space, const std::string& name) {
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > H5S_MAX_RANK) damaged(name);
    std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
    if (rank > 0 && H5Sget_simple_extent_dims(space, extents.data(), nullptr) != rank) {
      damaged(name);
    }
    if (H5Sget_simple_extent_type(space) == H5S_NULL) return {0};
    std::vector<std::int64_t> shape;
    for (const hsize_t extent : extents) {
      if (extent > INT64_MAX) damaged(name);
      shape.push_back(static_cast<std::int64_t>(extent));
    }
    return shape;
  }

  /// The number of elements, once it is known that the file has data for them and that they fit
  /// what memory may be used.
  std::size_t check_size(hid_t dataset, const std::vector<std::int64_t>& shape, std::size_t width,
                         const std::string& name) {
    std::uint64_t size = 1;
    for (const std::int64_t extent : shape) {
      if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size)) damaged(name);
    }
    if (size == 0) return 0;
    if (size > left_ / sizeof(float)) throw Error("can't be read: its weights are too large");
    left_ -= size * sizeof(float);

    const Properties properties(H5Dget_create_plist(dataset), name);
    const H5D_layout_t layout = H5Pget_layout(properties);
    const bool inside = layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED;
    if (!inside || H5Pget_external_count(properties) != 0) {
      throw Error("can't be read: the data of '{}' is outside the file", name);
    }
    // Deflate packs at most 1 : 1032. What was never stored reads as zeros, of any size.
    const std::uint64_t stored = H5Dget_storage_size(dataset);
    if (width == 0 || size > INT64_MAX / width || size * width / 1040 > stored ||
        stored > file_bytes_) {
      damaged(name);
    }
    return size;
  }

  static void read_bfloat16(hid_t dataset, hid_t type, std::vector<float>& data,
                            const std::string& name) {
    std::vector<std::uint16_t> bits(data.size());
    if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bits.data()) < 0) damaged(name);
    for (std::size_t i = 0; i < data.size(); ++i) {
      data[i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits[i]) << 16);
    }
  }

  std::uint64_t file_bytes_;
  std::uint64_t left_;
  Hdf5MessageWriter& out_;
  std::set<std::string> seen_;
};

/// Sends the configuration and the weights of an .h5 file.
void read_model(hid_t file, Weights& weights, Hdf5MessageWriter& out) {
  if (!has_attribute(file, "model_config")) {
    throw Error(
        "holds no model, only weights or something else. Save the whole model from Keras: "
        "model.save('model.keras')");
  }
  out.model_config(read_text(file, "model_config"));
  const Group root(H5Gopen2(file, "model_weights", H5P_DEFAULT), "model_weights");
  const std::string version = read_text(root, "keras_version");
  out.keras_version(version.empty() ? read_text(file, "keras_version") : version);

  std::vector<std::string> layers = read_list(root, "layer_names");
  for (const std::string& layer : layers) out.layer_name(layer);
  const std::string top = "top_level_model_weights";  // variables of the model itself
  if (H5Lexists(root, top.c_str(), H5P_DEFAULT) > 0) layers.push_back(top);
  for (const std::string& layer : layers) {
    const Group group(H5Gopen2(root, layer.c_str(), H5P_DEFAULT), layer);
    const std::vector<std::string> names = read_list(group, "weight_names");
    std::vector<std::string> paths;
    for (const std::string& name : names) {
      paths.push_back("model_weights/" + layer + "/" + name);
    }
    out.weight_names(layer, paths);
    for (std::size_t i = 0; i < names.size(); ++i) weights.send(group, names[i], paths[i]);
  }
}

/// Sends every dataset below the group `path`, whatever is there, but the optimizer's.
class Walk {
 public:
  explicit Walk(Weights& weights) : weights_(weights) {}

  void group(hid_t group, const std::string& path, int depth) {
    if (depth > kMaxDepth) damaged(path);
    for (const std::string& name : members(group, path)) {
      if (depth == 0 && name == "optimizer") continue;
      if (++objects_ > kMaxObjects) damaged(path);
      const std::string below = path.empty() ? name : path + "/" + name;
      const Object object(H5Oopen(group, name.c_str(), H5P_DEFAULT), below);
      const H5I_type_t type = H5Iget_type(object);
      if (type == H5I_GROUP) this->group(object, below, depth + 1);
      if (type == H5I_DATASET) weights_.send(group, name, below);
    }
  }

 private:
  /// The names of the groups and datasets in `group` itself: other links may lead to other files.
  static std::vector<std::string> members(hid_t group, const std::string& path) {
    std::vector<std::string> names;
    const auto visit = [](hid_t, const char* name, const H5L_info_t* info, void* to) -> herr_t {
      if (info->type == H5L_TYPE_HARD) static_cast<std::vector<std::string>*>(to)->push_back(name);
      return 0;
    };
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names) < 0) damaged(path);
    return names;
  }

  Weights& weights_;
  int objects_ = 0;
};

}  // namespace

void read_hdf5_here(std::span<std::byte> image, Hdf5Kind kind, std::uint64_t max_bytes,
                    Hdf5MessageWriter& out) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  // A model needs no code and no data from outside its file.
  H5PLset_loading_state(0);
  H5Lunregister(H5L_TYPE_EXTERNAL);
  constexpr unsigned kInPlace = H5LT_FILE_IMAGE_DONT_COPY | H5LT_FILE_IMAGE_DONT_RELEASE;
  const File file(H5LTopen_file_image(image.data(), image.size(), kInPlace), "HDF5 header");
  Weights weights(image.size(), max_bytes, out);
  if (kind == Hdf5Kind::model) {
    read_model(file, weights, out);
  } else {
    const Group root(H5Gopen2(file, "/", H5P_DEFAULT), "/");
    Walk(weights).group(root, "", 0);
  }
}

}  // namespace nnomc
