// Arrays, archives and files: compiler/io.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "compiler/error.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"
#include "compiler/io/zip.hpp"
#include "tests/damage.hpp"
#include "tests/temp_folder.hpp"
#include "tests/write_zip.hpp"

namespace nnomc {
namespace {

/// An .npy file with the header `dict` and the data `data`.
std::string npy(const std::string& dict, const std::string& data, char version = 1) {
  std::string file = "\x93NUMPY";
  file += {version, '\0'};
  file += {static_cast<char>(dict.size() & 255), static_cast<char>(dict.size() >> 8)};
  if (version > 1) file += {'\0', '\0'};
  return file + dict + data;
}

std::string dict(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + ", }\n";
}

std::vector<std::byte> bytes(const std::string& text) {
  std::vector<std::byte> result(text.size());
  if (!text.empty()) std::memcpy(result.data(), text.data(), text.size());
  return result;
}

Array parse(const std::string& file) { return parse_npy("x.npy", bytes(file)); }

std::vector<double> values(const Array& array) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < array.size(); ++i) result.push_back(array.at(i));
  return result;
}

TEST(Error, IsOneLine) {
  const Error error("{}: layer '{}'", "a\nb\x1b[2J", std::string(5000, 'x'));
  const std::string text = error.what();
  EXPECT_EQ(text.find_first_of("\n\x1b"), std::string::npos);
  EXPECT_LT(text.size(), 2010U);
}

TEST(Npy, ReadsEveryType) {
  struct Case {
    std::string descr, data;
    DType dtype;
    std::vector<double> values;
  };
  const Case cases[] = {
      {"|b1", std::string("\0\1\2", 3), DType::b8, {0, 1, 1}},
      {"|u1", "\xff\x01", DType::u8, {255, 1}},
      {"|i1", "\xff\x7f", DType::i8, {-1, 127}},
      {"<u2", "\x01\x02", DType::u16, {513}},
      {">u2", "\x01\x02", DType::u16, {258}},
      {"<i2", "\xfe\xff", DType::i16, {-2}},
      {"<u4", std::string("\1\0\0\x80", 4), DType::u32, {2147483649.0}},
      {">i4", "\xff\xff\xff\xfd", DType::i32, {-3}},
      {"<u8", std::string("\0\0\0\0\1\0\0\0", 8), DType::u64, {4294967296.0}},
      {">i8", "\xff\xff\xff\xff\xff\xff\xff\xfb", DType::i64, {-5}},
      {"<f2",
       std::string("\x00\x3c\x00\xc4\x01\x00\xff\x7b", 8),
       DType::f16,
       {1, -4, 0x1p-24, 65504}},
      {"<f4", std::string("\0\0\xc0\x3f", 4), DType::f32, {1.5}},
      {">f4", std::string("\x3f\xc0\0\0", 4), DType::f32, {1.5}},
      {">f8", std::string("\xbf\xe0\0\0\0\0\0\0", 8), DType::f64, {-0.5}},
  };
  for (const Case& c : cases) {
    for (const char version : {'\1', '\2', '\3'}) {
      const std::string shape = "(" + std::to_string(c.values.size()) + ",)";
      const Array array = parse(npy(dict(c.descr, shape), c.data, version));
      EXPECT_EQ(array.dtype, c.dtype) << c.descr;
      EXPECT_EQ(values(array), c.values) << c.descr;
      std::vector<float> floats(c.values.size());
      array.read(0, floats);
      for (std::size_t i = 0; i < floats.size(); ++i) {
        EXPECT_EQ(floats[i], static_cast<float>(c.values[i])) << c.descr;
      }
    }
  }
  EXPECT_TRUE(std::isnan(half_to_float(0x7e00)));
  EXPECT_EQ(half_to_float(0xfc00), -std::numeric_limits<float>::infinity());
}

TEST(Npy, TurnsFortranOrder) {
  std::string data;
  for (int i = 0; i < 24; ++i) data += {static_cast<char>(i), '\0'};
  const Array array = parse(npy(dict("<u2", "(2, 3, 4)", true), data));
  for (std::int64_t i = 0; i < 24; ++i) {  // C order index (a, b, c) is stored at a + 2b + 6c.
    EXPECT_EQ(array.at(i), static_cast<double>(i / 12 + 2 * (i / 4 % 3) + 6 * (i % 4)));
  }
}

TEST(Npy, AcceptsWhatNumpyWrites) {
  EXPECT_EQ(parse(npy(dict("<f4", "()"), std::string(4, '\0'))).size(), 1);
  EXPECT_EQ(parse(npy(dict("<f4", "(0, 3)"), "")).size(), 0);
  EXPECT_EQ(parse(npy("{\"shape\": (2L,), 'descr':'|u1','fortran_order':False}   \n", "ab")).size(),
            2);
}

TEST(Npy, RefusesWithReasons) {
  const std::string good = npy(dict("<f4", "(2,)"), std::string(8, '\0'));
  const std::pair<std::string, std::string> cases[] = {
      {"", "no .npy file"},
      {"PNG", "no .npy file"},
      {good.substr(0, 7), "header is damaged"},
      {good.substr(0, 20), "header is cut off"},
      {good.substr(0, good.size() - 1), "(2) elements of float32 don't fill its 7 bytes"},
      {good + "x", "don't fill its 9 bytes"},
      {npy(dict("<f4", "(2,)"), std::string(8, '\0'), 4), "version 4"},
      {npy(dict("|O", "(1,)"), "12345678"), "Python objects"},
      {npy(dict("<c8", "(1,)"), "12345678"), "complex"},
      {npy(dict("<U2", "(1,)"), "12345678"), "text"},
      {npy(dict("<M8[ns]", "(1,)"), "12345678"), "dates"},
      {npy(dict("|V2", "(4,)"), "12345678"), "isn't supported"},
      {npy(dict("", "(4,)"), "12345678"), "isn't supported"},
      {npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234"),
       "structured"},
      {npy(dict("<f4", "(-1,)"), ""), "header is damaged"},
      {npy(dict("<f4", "(99999999999999999999,)"), ""), "header is damaged"},
      {npy(dict("<f4", "(4294967296, 4294967296)"), ""), "don't fill"},
      {npy(dict("<f8", "(2305843009213693952,)"), ""), "don't fill"},
      {npy(dict("<f4", "(0, 9223372036854775807)"), ""), "don't fill"},
      {npy("{'descr': '<f4', 'shape': (1,)}", "1234"), "header is damaged"},
      {npy("{'shape': (1,), 'shape': (1,)}", "1234"), "header is damaged"},
      {npy("{'descr': '<f4", "1234"), "header is damaged"},
  };
  for (const auto& [file, reason] : cases) {
    const std::string message = error_of([&, &content = file] { parse(content); });
    EXPECT_NE(message.find(reason), std::string::npos) << message << " instead of " << reason;
    EXPECT_EQ(message.rfind("x.npy: ", 0), 0U) << message;
  }
  EXPECT_THROW(parse(good).at(2), Error);
  EXPECT_THROW(parse(good).at(-1), Error);
  std::vector<float> three(3);
  EXPECT_THROW(parse(good).read(0, three), Error);
}

TEST(Npy, RoundTrip) {
  const TempFolder folder;
  for (const DType dtype : {DType::b8, DType::i16, DType::f16, DType::f64}) {
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{}, {3}, {2, 5}, {0}, std::vector<std::int64_t>(64, 1)}) {
      Array array{dtype, shape, {}};
      std::size_t size = bytes_of(dtype);
      for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
      array.bytes.assign(size, std::byte{1});
      write_npy(folder / "x.npy", array);
      EXPECT_EQ(read_start(folder / "x.npy", 1000).size() % 64, size % 64);
      const Array back = read_array(folder / "x.npy");
      EXPECT_EQ(back.dtype, array.dtype);
      EXPECT_EQ(back.shape, array.shape);
      EXPECT_EQ(back.bytes, array.bytes);
    }
  }
  EXPECT_THROW(write_npy(folder / "x.npy", Array{DType::u8, {3}, {}}), Error);
  EXPECT_EQ(folder.count(), 1);
}

TEST(Npz, FindsArrays) {
  const TempFolder folder;
  const std::string one = npy(dict("|u1", "(3,)"), "abc");
  const std::string two = npy(dict("|u1", "(3000,)"), std::string(3000, 'x'));
  write_zip(folder / "one.npz", {{"x.npy", one}});
  write_zip(folder / "two:a.npz", {{"x.npy", one}, {"a:b.npy", two}, {"note.txt", "hi"}});
  write_zip(folder / "none.npz", {{"note.txt", "hi"}});
  write_file(folder / "one.npy", one);
  EXPECT_EQ(read_array(folder / "one.npz").size(), 3);
  EXPECT_EQ(read_array(folder / "one.npz:x").size(), 3);
  EXPECT_EQ(read_array(folder / "two:a.npz:a:b").size(), 3000);
  const std::pair<std::string, std::string> cases[] = {
      {"two:a.npz", "it holds: 'x', 'a:b'"},
      {"two:a.npz:z", "no array 'z'; it holds: 'x', 'a:b'"},
      {"none.npz", "it holds: none"},
      {"one.npy:x", "single array"},
      {"lost.npz:x", "lost.npz: can't be opened"},
      {"lost.npy", "lost.npy: can't be opened"},
  };
  for (const auto& [spec, reason] : cases) {
    const std::string message = error_of([&, &name = spec] { read_array(folder / name); });
    EXPECT_NE(message.find(reason), std::string::npos) << message << " instead of " << reason;
  }
}

TEST(Npz, SurvivesDamage) {
  const TempFolder folder;
  write_zip(folder / "x.npz", {{"x.npy", npy(dict("<f4", "(250,)"), std::string(1000, 'y'))}});
  const std::string content(as_text(read_file(folder / "x.npz")));
  const Outcome outcome =
      try_damaged(content, 300, content.size(), [&](const std::string& damaged) {
        write_file(folder / "y.npz", damaged);
        read_array(folder / "y.npz");
      });
  EXPECT_GT(outcome.refused, 200);
  const std::string file = npy(dict("<f4", "(250,)"), std::string(1000, 'y'));
  EXPECT_GT(try_damaged(file, 300, 80, [](const std::string& damaged) { parse(damaged); }).refused,
            150);
}

TEST(Zip, RefusesBombs) {
  const TempFolder folder;
  write_zip(folder / "x.zip", {{"x", std::string(1 << 20, '\0')}});
  EXPECT_EQ(Zip(folder / "x.zip").read("x", 1 << 20).size(), 1U << 20);
  EXPECT_NE(error_of([&] { Zip(folder / "x.zip").read("x", 1000); }).find("too large"),
            std::string::npos);
  // The same with a size of nearly 4 GiB written into the central directory.
  std::string content(as_text(read_file(folder / "x.zip")));
  const std::size_t directory = content.find("PK\1\2");
  ASSERT_NE(directory, std::string::npos);
  content.replace(directory + 24, 4, "\xf0\xff\xff\xff");
  write_file(folder / "x.zip", content);
  EXPECT_NE(error_of([&] { Zip(folder / "x.zip").read("x", UINT64_MAX); }).find("damaged"),
            std::string::npos);
}

TEST(File, IsWrittenWholeOrNotAtAll) {
  const TempFolder folder;
  const std::string path = folder / "x";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("half");
  }
  EXPECT_EQ(as_text(read_file(path)), "old");
  EXPECT_EQ(folder.count(), 1);
  write_file(path, "new");
  EXPECT_EQ(as_text(read_file(path)), "new");
  ASSERT_EQ(::symlink(path.c_str(), (folder / "link").c_str()), 0);
  write_file(folder / "link", "through the link");
  EXPECT_EQ(as_text(read_file(path)), "through the link");
  EXPECT_EQ(folder.count(), 2);
  EXPECT_THROW(write_file(folder / "lost/x", ""), Error);
  EXPECT_THROW(write_file(folder / ".", ""), Error);
  EXPECT_NE(error_of([] { write_file("/dev/full", "x"); }).find("No space"), std::string::npos);
  EXPECT_NO_THROW(write_file("/dev/null", "x"));
}

TEST(File, ReadsOnlyRegularFiles) {
  const TempFolder folder;
  write_file(folder / "x", "abc");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(read_file(folder / "x", 2), Error);
  EXPECT_EQ(read_start(folder / "x", 2).size(), 2U);
  EXPECT_EQ(read_start(folder / "x", 9).size(), 3U);
  for (const std::string& path : {folder / ".", folder / "pipe", std::string("/dev/zero")}) {
    EXPECT_THROW(read_file(path), Error) << path;
  }
}

}  // namespace
}  // namespace nnomc
