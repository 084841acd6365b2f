// The .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "compiler/error.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxRank = 64;

struct Code {
  std::string_view text;  // numpy's type string without the byte order
  DType dtype;
};
constexpr std::array<Code, 12> kCodes = {{{"b1", DType::b8},
                                          {"u1", DType::u8},
                                          {"i1", DType::i8},
                                          {"u2", DType::u16},
                                          {"i2", DType::i16},
                                          {"u4", DType::u32},
                                          {"i4", DType::i32},
                                          {"u8", DType::u64},
                                          {"i8", DType::i64},
                                          {"f2", DType::f16},
                                          {"f4", DType::f32},
                                          {"f8", DType::f64}}};

/// What the header of an .npy file says.
struct Header {
  std::string descr;  // byte order and type: "<f4"
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

/// Reads the Python dictionary of the header: a string, a bool and a tuple, in any order.
class HeaderParser {
 public:
  HeaderParser(const std::string& name, std::string_view text) : name_(name), text_(text) {}

  Header parse() {
    Header header;
    bool descr = false;
    bool order = false;
    bool shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr" && !std::exchange(descr, true)) {
        if (peek() == '[') {
          throw Error("{}: is a structured array; save its fields as arrays of their own", name_);
        }
        header.descr = string();
      } else if (key == "fortran_order" && !std::exchange(order, true)) {
        header.fortran_order = boolean();
      } else if (key == "shape" && !std::exchange(shape, true)) {
        header.shape = tuple();
      } else {
        fail();
      }
      if (!accept(',') && peek() != '}') fail();
    }
    if (!text_.empty()) skip_space();
    if (!text_.empty() || !descr || !order || !shape) fail();
    return header;
  }

 private:
  [[noreturn]] void fail() const { throw Error("{}: its .npy header is damaged", name_); }

  void skip_space() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \n\t\r"), text_.size()));
  }
  char peek() {
    skip_space();
    if (text_.empty()) fail();
    return text_.front();
  }
  bool accept(char c) {
    if (peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  bool accept_word(std::string_view word) {
    peek();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  bool boolean() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) fail();
    return false;
  }
  std::string_view string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail();
    text_.remove_prefix(1);
    const std::size_t end = text_.find(quote);
    if (end == std::string_view::npos) fail();
    const std::string_view result = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return result;
  }
  std::int64_t number() {
    peek();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) fail();
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    accept('L');  // Python 2 wrote long integers so.
    return value;
  }
  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> values;
    expect('(');
    while (!accept(')')) {
      values.push_back(number());
      if (values.size() > kMaxRank) throw Error("{}: has too many dimensions", name_);
      if (!accept(',') && peek() != ')') fail();
    }
    return values;
  }

  const std::string& name_;
  std::string_view text_;
};

/// The type `descr` stands for and whether its bytes have to be swapped.
std::pair<DType, bool> type_of(const std::string& name, std::string_view descr) {
  const char order = descr.empty() ? '?' : descr.front();
  const std::string_view code = descr.substr(std::min<std::size_t>(1, descr.size()));
  const auto* found =
      std::find_if(kCodes.begin(), kCodes.end(), [&](const Code& c) { return c.text == code; });
  if (found != kCodes.end() && std::string_view("<>|=").find(order) != std::string_view::npos) {
    const char native = std::endian::native == std::endian::little ? '<' : '>';
    return {found->dtype, (order == '<' || order == '>') && order != native};
  }
  const char kind = code.empty() ? '?' : code.front();
  const char* what = "of a type that isn't supported";
  if (kind == 'O') what = "Python objects";
  if (kind == 'c') what = "complex";
  if (kind == 'S' || kind == 'U' || kind == 'a') what = "text";
  if (kind == 'M' || kind == 'm') what = "dates or times";
  throw Error("{}: its elements are {} ('{}'); save numbers, as with array.astype('float32')", name,
              what, descr);
}

/// The number of elements, or nothing if it can't be stored.
std::optional<std::uint64_t> product(const std::vector<std::int64_t>& shape) {
  std::uint64_t size = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent == 0)
      empty = true;
    else if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size))
      return {};
  }
  if (size > INT64_MAX / 8) return {};
  return empty ? 0 : size;
}

void swap_bytes(std::vector<std::byte>& bytes, std::size_t width) {
  for (std::size_t i = 0; i + width <= bytes.size(); i += width) {
    std::reverse(bytes.data() + i, bytes.data() + i + width);
  }
}

/// Elements of type `T` stored first dimension fastest, reordered to last dimension fastest.
template <class T>
std::vector<std::byte> from_fortran(const std::vector<std::byte>& in,
                                    const std::vector<std::int64_t>& shape) {
  std::vector<std::byte> out(in.size());
  std::vector<std::int64_t> index(shape.size());
  std::vector<std::size_t> stride(shape.size());  // of `in`, in bytes
  std::size_t step = sizeof(T);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    stride[d] = step;
    step *= static_cast<std::size_t>(shape[d]);
  }
  std::size_t from = 0;
  for (std::size_t to = 0; to < out.size(); to += sizeof(T)) {
    std::memcpy(out.data() + to, in.data() + from, sizeof(T));
    for (std::size_t d = shape.size(); d-- > 0;) {
      from += stride[d];
      if (++index[d] < shape[d]) break;
      from -= stride[d] * static_cast<std::size_t>(shape[d]);
      index[d] = 0;
    }
  }
  return out;
}

std::vector<std::byte> from_fortran(const Array& array) {
  switch (bytes_of(array.dtype)) {
    case 1:
      return from_fortran<std::uint8_t>(array.bytes, array.shape);
    case 2:
      return from_fortran<std::uint16_t>(array.bytes, array.shape);
    case 4:
      return from_fortran<std::uint32_t>(array.bytes, array.shape);
    default:
      return from_fortran<std::uint64_t>(array.bytes, array.shape);
  }
}

}  // namespace

Array parse_npy(const std::string& name, std::vector<std::byte> file) {
  const std::string_view text = as_text(file);
  if (!text.starts_with(kMagic))
    throw Error("{}: is no .npy file; save the data with numpy.save or numpy.savez", name);
  const auto byte = [&](std::size_t i) -> std::size_t {
    return static_cast<std::uint8_t>(text[i]);
  };
  const std::size_t version = text.size() > 6 ? byte(6) : 0;
  if (version > 3) throw Error("{}: is of .npy version {}; 1 to 3 are supported", name, version);
  const std::size_t start = version == 1 ? 10 : 12;
  if (version == 0 || text.size() < start) throw Error("{}: its .npy header is damaged", name);
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > text.size() - start) throw Error("{}: its .npy header is cut off", name);
  const Header header = HeaderParser(name, text.substr(start, length)).parse();
  const auto [dtype, swap] = type_of(name, header.descr);

  const std::optional<std::uint64_t> size = product(header.shape);
  const std::size_t present = text.size() - start - length;
  if (!size || *size * bytes_of(dtype) != present) {
    throw Error("{}: is damaged: ({}) elements of {} don't fill its {} bytes", name,
                fmt::join(header.shape, ", "), name_of(dtype), present);
  }
  Array array{dtype, header.shape, std::move(file)};
  array.bytes.erase(array.bytes.begin(),
                    array.bytes.begin() + static_cast<std::ptrdiff_t>(start + length));
  if (swap) swap_bytes(array.bytes, bytes_of(dtype));
  if (header.fortran_order && array.shape.size() > 1) array.bytes = from_fortran(array);
  return array;
}

void write_npy(const std::string& path, const Array& array) {
  const auto* code = std::find_if(kCodes.begin(), kCodes.end(),
                                  [&](const Code& c) { return c.dtype == array.dtype; });
  if (product(array.shape) != static_cast<std::uint64_t>(array.size()) ||
      array.bytes.size() % bytes_of(array.dtype) != 0)
    throw Error("{}: can't be written: the array's shape and data differ", path);
  const char native = std::endian::native == std::endian::little ? '<' : '>';
  std::string header =
      fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}",
                  bytes_of(array.dtype) == 1 ? '|' : native, code->text,
                  fmt::join(array.shape, ", "), array.shape.size() == 1 ? "," : "");
  // The data starts at a multiple of 64 bytes. 64 dimensions of 20 digits fit version 1.
  constexpr std::size_t kStart = 10;
  header.append(63 - (kStart + header.size()) % 64, ' ');
  header += '\n';
  const char start[] = {'\1', '\0', static_cast<char>(header.size() & 255),
                        static_cast<char>(header.size() >> 8)};
  AtomicFile file(path);
  file.write(kMagic);
  file.write({start, sizeof start});
  file.write(header);
  file.write(as_text(array.bytes));
  file.commit();
}

}  // namespace nnomc
