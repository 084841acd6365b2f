#include "compiler/import/hdf5_message.hpp"

#include <cstring>

#include "compiler/error.hpp"

namespace nnomc {
namespace {

// Numbers are in the machine's own format: both processes run on it.
enum class Tag : char {
  model_config = 'c',   // text
  keras_version = 'v',  // text
  layer_name = 'l',     // text
  weight_names = 'n',   // text layer, u64 count, texts
  weight = 'w',         // text path, u64 rank, i64 shape[rank], f32 data[product of shape]
  failure = 'f',        // text
  end = '.',
};

constexpr std::uint64_t kMaxRank = 32;
constexpr std::size_t kMaxItems = 1'000'000;  // names and weights in a file

void append(std::string& to, std::uint64_t number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append(std::string& to, std::string_view text) {
  append(to, text.size());
  to += text;
}

std::string record(Tag tag, std::string_view text) {
  std::string bytes(1, static_cast<char>(tag));
  append(bytes, text);
  return bytes;
}

/// Takes values off the front of a message.
class Reader {
 public:
  Reader(const std::string& name, std::span<const std::byte> rest) : name_(name), rest_(rest) {}

  [[noreturn]] void fail() const {
    throw Error(
        "{}: can't be read: the HDF5 library went wrong on it. The file is damaged: save "
        "it again from Keras",
        name_);
  }

  bool empty() const { return rest_.empty(); }

  std::span<const std::byte> bytes(std::uint64_t count) {
    if (count > rest_.size()) fail();
    const auto result = rest_.first(count);
    rest_ = rest_.subspan(count);
    return result;
  }

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
    return value;
  }

  std::string text() {
    const auto chars = bytes(number<std::uint64_t>());
    return {reinterpret_cast<const char*>(chars.data()), chars.size()};
  }

  /// text() that counts towards the limit on names.
  std::string item() {
    if (++items_ > kMaxItems) fail();
    return text();
  }

  std::vector<std::string> items() {
    std::vector<std::string> result;
    for (auto count = number<std::uint64_t>(); count > 0; --count) result.push_back(item());
    return result;
  }

  Weight weight() {
    Weight result;
    result.path = item();
    const auto rank = number<std::uint64_t>();
    if (rank > kMaxRank) fail();
    std::uint64_t size = sizeof(float);
    bool empty = false;
    for (std::uint64_t d = 0; d < rank; ++d) {
      const auto extent = number<std::int64_t>();
      if (extent < 0) fail();
      empty = empty || extent == 0;
      // Checked without the zeros, so that no part of the product can overflow later either.
      if (extent > 0 && __builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size))
        fail();
      result.shape.push_back(extent);
    }
    const auto data = bytes(empty ? 0 : size);
    result.data.resize(data.size() / sizeof(float));
    if (!data.empty()) std::memcpy(result.data.data(), data.data(), data.size());
    return result;
  }

 private:
  const std::string& name_;
  std::span<const std::byte> rest_;
  std::size_t items_ = 0;
};

}  // namespace

void Hdf5MessageWriter::model_config(std::string_view json) {
  put_(record(Tag::model_config, json));
}

void Hdf5MessageWriter::keras_version(std::string_view version) {
  put_(record(Tag::keras_version, version));
}

void Hdf5MessageWriter::layer_name(std::string_view name) { put_(record(Tag::layer_name, name)); }

void Hdf5MessageWriter::weight_names(std::string_view layer,
                                     const std::vector<std::string>& paths) {
  std::string bytes = record(Tag::weight_names, layer);
  append(bytes, paths.size());
  for (const std::string& path : paths) append(bytes, path);
  put_(bytes);
}

void Hdf5MessageWriter::weight(std::string_view path, std::span<const std::int64_t> shape,
                               std::span<const float> data) {
  std::string bytes = record(Tag::weight, path);
  append(bytes, shape.size());
  for (const std::int64_t extent : shape) append(bytes, static_cast<std::uint64_t>(extent));
  put_(bytes);
  put_({reinterpret_cast<const char*>(data.data()), data.size_bytes()});
}

void Hdf5MessageWriter::failure(std::string_view message) { put_(record(Tag::failure, message)); }

void Hdf5MessageWriter::end() { put_(std::string(1, static_cast<char>(Tag::end))); }

Hdf5Content parse_hdf5_message(const std::string& name, std::span<const std::byte> message) {
  Reader reader(name, message);
  Hdf5Content content;
  for (;;) {
    switch (reader.number<Tag>()) {
      case Tag::model_config:
        content.model_config = reader.text();
        break;
      case Tag::keras_version:
        content.keras_version = reader.text();
        break;
      case Tag::layer_name:
        content.layer_names.push_back(reader.item());
        break;
      case Tag::weight_names: {
        const std::string layer = reader.item();
        content.weight_names[layer] = reader.items();
        break;
      }
      case Tag::weight:
        content.weights.push_back(reader.weight());
        break;
      case Tag::failure:
        throw Error("{}: {}", name, reader.text());
      case Tag::end:
        if (!reader.empty()) reader.fail();
        return content;
      default:
        reader.fail();
    }
  }
}

}  // namespace nnomc
