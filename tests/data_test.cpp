// Samples and labels: compiler/data.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "compiler/data/labels.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/error.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

template <class T>
Array array(DType dtype, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  Array a{dtype, std::move(shape), std::vector<std::byte>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(a.bytes.data(), values.data(), a.bytes.size());
  return a;
}

Array zeros(std::vector<std::int64_t> shape) {
  std::int64_t n = 1;
  for (const std::int64_t d : shape) n *= d;
  return array(DType::f32, std::move(shape), std::vector<float>(static_cast<std::size_t>(n)));
}

/// The message of the Error that `call` throws.
template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Samples, AxesOfSizeOneDontMatter) {
  struct Case {
    std::vector<std::int64_t> array;
    Shape sample;
    std::int64_t count;
  };
  const Case cases[] = {
      {{5, 4, 3}, {2, {4, 3}}, 5},
      {{5, 4, 3, 1}, {2, {4, 3}}, 5},
      {{5, 4, 3}, {3, {4, 3, 1}}, 5},
      {{5, 1, 4, 3}, {3, {4, 3, 1}}, 5},
      {{1, 5, 4, 3}, {3, {4, 3, 1}}, 5},
      {{1, 4, 3}, {2, {4, 3}}, 1},
      {{4, 3}, {2, {4, 3}}, 1},
      {{10}, {1, {1}}, 10},
      {{10, 1}, {1, {1}}, 10},
      {{1}, {1, {1}}, 1},
      {{}, {1, {1}}, 1},
      {{10}, {1, {10}}, 1},
      {{10, 10}, {1, {10}}, 10},
      {{0, 4, 3}, {2, {4, 3}}, 0},
      {{5, 12}, {2, {4, 3}}, -1},
      {{5, 3, 4}, {2, {4, 3}}, -1},
      {{5, 2, 4, 3}, {2, {4, 3}}, -1},
      {{}, {2, {4, 3}}, -1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(shape_text(c.array) + " for " + to_string(c.sample));
    EXPECT_EQ(samples_in({DType::f32, c.array, {}}, c.sample), c.count);
  }
}

TEST(Samples, ReadsAndScales) {
  const TempFolder folder;
  Graph graph;
  graph.add_input("image", {2, {2, 2}});
  write_npy(folder / "x.npy",
            array<std::uint8_t>(DType::u8, {2, 2, 2, 1}, {0, 51, 102, 255, 1, 2, 3, 4}));
  Samples samples(graph, {folder / "x.npy"}, {1 / 255.0, 1});
  ASSERT_EQ(samples.count(), 2u);
  EXPECT_EQ(samples.read(0, 0), (std::vector<float>{1, 1.2f, 1.4f, 2}));
  samples.limit(1);
  EXPECT_EQ(samples.count(), 1u);
  samples.limit(9);
  EXPECT_EQ(samples.count(), 1u);
  EXPECT_ANY_THROW(samples.read(2, 0));
}

TEST(Samples, RefusesWhatDoesNotFit) {
  const TempFolder folder;
  Graph graph;
  graph.file = "m.keras";
  graph.add_input("image", {2, {4, 3}});
  graph.add_input("extra", {1, {2}});
  write_npy(folder / "a.npy", zeros({5, 4, 3}));
  write_npy(folder / "b.npy", zeros({5, 2}));
  write_npy(folder / "b6.npy", zeros({6, 2}));
  write_npy(folder / "none.npy", zeros({0, 4, 3}));
  const auto error = [&](const std::vector<std::string>& names) {
    std::vector<Source> specs;
    for (const std::string& name : names) specs.push_back(folder / name);
    return error_of([&] { Samples(graph, specs, {}); });
  };
  EXPECT_EQ(error({"a.npy", "b.npy"}), "no error");
  EXPECT_NE(error({"b.npy", "b.npy"}).find("5 x 2"), std::string::npos);
  EXPECT_NE(error({"b.npy", "b.npy"}).find("4 x 3"), std::string::npos);
  EXPECT_NE(error({"a.npy"}).find("2 inputs, in this order: 'image' (4 x 3), 'extra' (2)"),
            std::string::npos)
      << error({"a.npy"});
  EXPECT_NE(error({"a.npy", "b6.npy"}).find("holds 6 samples"), std::string::npos);
  EXPECT_NE(error({"none.npy", "b.npy"}).find("holds no samples"), std::string::npos);
}

TEST(Samples, FindsWhatIsNotFinite) {
  const TempFolder folder;
  Graph graph;
  graph.add_input("x", {1, {2}});
  for (const float bad : {INFINITY, -INFINITY, NAN}) {
    write_npy(folder / "x.npy", array<float>(DType::f32, {2, 2}, {1, 2, 3, bad}));
    const Samples samples(graph, {folder / "x.npy"}, {});
    const std::string error = error_of([&] { samples.check_finite(); });
    EXPECT_NE(error.find("element 1 of sample 1"), std::string::npos) << error;
  }
}

TEST(Samples, SyntheticOnesAreAlwaysTheSame) {
  Graph graph;
  graph.add_input("x", {1, {100}});
  const Samples a = Samples::synthetic(graph, 3), b = Samples::synthetic(graph, 3);
  EXPECT_EQ(a.count(), 3u);
  EXPECT_EQ(a.read(2, 0), b.read(2, 0));
  EXPECT_NE(a.read(0, 0), a.read(1, 0));
}

TEST(Labels, EveryWayToWriteThem) {
  const TempFolder folder;
  const std::vector<std::uint32_t> want = {2, 0, 1};
  const auto read = [&](const Array& a) {
    write_npy(folder / "y.npy", a);
    return read_classes(folder / "y.npy", 3, 3);
  };
  EXPECT_EQ(read(array<std::uint8_t>(DType::u8, {3}, {2, 0, 1})), want);
  EXPECT_EQ(read(array<std::int64_t>(DType::i64, {3, 1}, {2, 0, 1})), want);
  EXPECT_EQ(read(array<double>(DType::f64, {1, 3}, {2, 0, 1})), want);
  EXPECT_EQ(read(array<float>(DType::f32, {3, 3}, {0, 0, 1, 1, 0, 0, .2f, .5f, .3f})), want);
  EXPECT_EQ(read(array<std::uint8_t>(DType::b8, {3, 1, 3}, {0, 0, 1, 1, 0, 0, 0, 1, 0})), want);
}

TEST(Labels, OneSampleOneHot) {
  const TempFolder folder;
  write_npy(folder / "y.npy", array<float>(DType::f32, {3}, {0, 0, 1}));
  EXPECT_EQ(read_classes(folder / "y.npy", 3, 1), std::vector<std::uint32_t>{2});
}

TEST(Labels, RefusesWhatDoesNotFit) {
  const TempFolder folder;
  const auto error = [&](const Array& a) {
    write_npy(folder / "y.npy", a);
    return error_of([&] { read_classes(folder / "y.npy", 3, 4); });
  };
  struct Case {
    Array labels;
    const char* part;
  };
  const Case cases[] = {
      {array<std::uint8_t>(DType::u8, {3}, {0, 1, 2}), "for 3 samples, but the data holds 4"},
      {array<std::uint8_t>(DType::u8, {4}, {0, 1, 3, 2}), "label 3 of sample 2"},
      {array<std::int32_t>(DType::i32, {4}, {0, -1, 0, 2}), "label -1 of sample 1"},
      {array<float>(DType::f32, {4}, {0, 1, 1.5f, 2}), "label 1.5 of sample 2"},
      {array<float>(DType::f32, {4}, {0, 1, NAN, 2}), "label nan of sample 2"},
      {zeros({4, 5}), "4 x 5"},
      {zeros({5, 3}), "for 5 samples"},
  };
  for (const Case& c : cases)
    EXPECT_NE(error(c.labels).find(c.part), std::string::npos) << error(c.labels);
}

TEST(Labels, Targets) {
  const TempFolder folder;
  write_npy(folder / "y.npy", array<double>(DType::f64, {2, 2, 1}, {1, 2, 3, 4}));
  EXPECT_EQ(read_targets(folder / "y.npy", {1, {2}}, 2), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_NE(error_of([&] {
              read_targets(folder / "y.npy", {1, {2}}, 3);
            }).find("2 samples"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              read_targets(folder / "y.npy", {1, {3}}, 2);
            }).find("2 x 2"),
            std::string::npos);
}

}  // namespace
}  // namespace nnomc
