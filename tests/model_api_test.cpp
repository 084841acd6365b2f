// What an application sees of a model: nnom/model.hpp, on graphs written by hand.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "nnom/model.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

/// Two inputs of 3 and 2 elements; two outputs: the first input doubled, both sums.
struct Two {
  enum : unsigned { arena_bytes = 64, input_count = 2, output_count = 2, layer_count = 2 };
  static nnom::Slot input(unsigned i) {
    return i == 0 ? nnom::Slot{0, 3, {0.5f, 10}} : nnom::Slot{16, 2, {2.0f, -20}};
  }
  static nnom::Slot output(unsigned i) {
    return i == 0 ? nnom::Slot{32, 3, {0.25f, 1}} : nnom::Slot{48, 2, {1.0f, 0}};
  }
  template <size_t I>
  struct Input;
  template <size_t I>
  struct Output;

  static void run(unsigned char* arena) { observe(arena, nullptr, nullptr); }
  static nnom::LayerInfo observe(unsigned char* arena, nnom::Observer observer, void* context,
                                 unsigned last = ~0u) {
    auto* const bytes = reinterpret_cast<int8_t*>(arena);
    const nnom::LayerInfo first = {"double", "Mul", 0, 3, arena + 32, 3};
    const nnom::LayerInfo second = {"sum", "Add", 1, 5, arena + 48, 2};
    for (int i = 0; i < 3; ++i) bytes[32 + i] = static_cast<int8_t>(2 * bytes[i]);
    if (observer) observer(context, first);
    if (last == 0) return first;
    bytes[48] = static_cast<int8_t>(bytes[0] + bytes[1] + bytes[2]);
    bytes[49] = static_cast<int8_t>(bytes[16] + bytes[17]);
    std::memset(arena, 99, 18);  // a model may write over its inputs
    if (observer) observer(context, second);
    return second;
  }
  static unsigned layer(const char* name) {
    return nnom::same_text(name, "double") ? 0 : nnom::same_text(name, "sum") ? 1 : 2;
  }
};
template <>
struct Two::Input<0> {
  enum : unsigned { size = 3 };
};
template <>
struct Two::Input<1> {
  enum : unsigned { size = 2 };
};
template <>
struct Two::Output<0> {
  enum : unsigned { size = 3 };
};
template <>
struct Two::Output<1> {
  enum : unsigned { size = 2 };
};

/// One input of 4, one output of 4: stored values plus one; takes 160 bytes.
struct Next {
  enum : unsigned { arena_bytes = 160, input_count = 1, output_count = 1, layer_count = 1 };
  static nnom::Slot input(unsigned) { return {128, 4, {0.1f, 3}}; }
  static nnom::Slot output(unsigned) { return {0, 4, {0.1f, 3}}; }
  template <size_t I>
  struct Input {
    enum : unsigned { size = 4 };
  };
  template <size_t I>
  struct Output {
    enum : unsigned { size = 4 };
  };
  static void run(unsigned char* arena) {
    for (int i = 0; i < 4; ++i) arena[i] = static_cast<unsigned char>(arena[128 + i] + 1);
  }
  static void observe(unsigned char* arena, nnom::Observer, void*) { run(arena); }
};

/// Adds its input to what it remembers, which begins as 5.
struct Sum {
  enum : unsigned { arena_bytes = 16, input_count = 1, output_count = 1, layer_count = 1 };
  static nnom::Slot input(unsigned) { return {0, 1, {1.0f, 0}}; }
  static nnom::Slot output(unsigned) { return {8, 1, {1.0f, 0}}; }
  template <size_t I>
  struct Input {
    enum : unsigned { size = 1 };
  };
  template <size_t I>
  struct Output {
    enum : unsigned { size = 1 };
  };
  static void run(unsigned char* arena) {
    arena[8] = arena[4] = static_cast<unsigned char>(arena[4] + arena[0]);
  }
  static void observe(unsigned char* arena, nnom::Observer, void*) { run(arena); }
  static void reset(unsigned char* arena) { arena[4] = 5; }
};

template <class Span>
std::vector<int> stored(const Span& span) {
  return {std::begin(span), std::end(span)};
}

TEST(Model, HasSeveralInputsAndOutputs) {
  nnom::Model<Two> model;
  const int8_t first[] = {1, 2, 3};
  std::copy(std::begin(first), std::end(first), model.input().begin());
  model.input<1>()[0] = -5;
  model.input<1>()[1] = 7;
  model.run();
  EXPECT_EQ(stored(model.output()), (std::vector{2, 4, 6}));
  EXPECT_EQ(stored(model.output<1>()), (std::vector{6, 2}));
  static_assert(decltype(model.output<1>())::size() == 2);
}

TEST(Model, ConvertsRealNumbers) {
  nnom::Model<Two> model;
  const float a[] = {0, 1, -1}, b[] = {40, -1000};
  model.write(a);
  model.write<1>(b);
  EXPECT_EQ(stored(model.input()), (std::vector{10, 12, 8}));
  EXPECT_EQ(stored(model.input<1>()), (std::vector{0, -128}));
  model.run();
  float out[3], sums[2];
  model.read(out);
  model.read<1>(sums);
  EXPECT_EQ(out[0], 0.25f * (20 - 1));
  EXPECT_EQ(out[2], 0.25f * (16 - 1));
  EXPECT_EQ(sums[0], 30.0f);
}

TEST(Model, TakesArraysOfEveryKind) {
  nnom::Model<Next> model;
  float c_array[4] = {-0.3f, -0.2f, 0, 1};
  const float constant[4] = {-0.3f, -0.2f, 0, 1};
  std::array<float, 4> array = {-0.3f, -0.2f, 0, 1};
  const std::array<float, 4> constant_array = array;
  const nnom::Span<float, 4> span(c_array);
  const nnom::Span<const float, 4> constant_span(constant);
  const auto check = [&](const auto& in) {
    float out[4] = {};
    model.run(in, out);
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(out[i], constant[i] + 0.1f, 1e-6f);
  };
  check(c_array), check(constant), check(array), check(constant_array), check(span);
  check(constant_span);
  std::array<float, 4> out_array;
  model.run(array, out_array);
  model.run(span, nnom::Span<float, 4>(out_array));
  EXPECT_NEAR(out_array[3], 1.1f, 1e-6f);
  const int8_t in8[4] = {1, 2, 3, -128};
  std::array<int8_t, 4> out8;
  model.run(in8, out8);
  EXPECT_EQ(stored(out8), (std::vector{2, 3, 4, -127}));
  EXPECT_EQ((nnom::Span<const float, 4>::at(&c_array[0]).data()), &c_array[0]);
}

/// An input of int16, an output of int8: a 256th of it.
struct Narrower {
  enum : unsigned { arena_bytes = 16, input_count = 1, output_count = 1, layer_count = 1 };
  static nnom::Slot input(unsigned) { return {0, 4, {0.001f, 0}}; }
  static nnom::Slot output(unsigned) { return {4, 2, {0.256f, 0}}; }
  template <size_t I>
  struct Input {
    enum : unsigned { size = 2 };
    typedef int16_t Stored;
  };
  template <size_t I>
  struct Output {
    enum : unsigned { size = 2 };
  };
  static void run(unsigned char* arena) {
    for (int i = 0; i < 2; ++i) arena[4 + i] = arena[2 * i + 1];
  }
};

TEST(Model, HasElementsOfTwoBytes) {
  nnom::Model<Narrower> model;
  static_assert(std::is_same_v<decltype(model.input()), nnom::Span<int16_t, 2>>);
  static_assert(std::is_same_v<decltype(model.output()), nnom::Span<const int8_t, 2>>);
  const int16_t in[] = {256 * 7, -256};
  int8_t out[2];
  model.run(in, out);
  EXPECT_EQ(stored(out), (std::vector{7, -1}));
  const float real[] = {1e6f, -5.0006f};
  model.write(real);
  EXPECT_EQ(stored(model.input()), (std::vector{32767, -5001}));
  const nnom::Quantisation q{0.5f, 3};
  EXPECT_EQ(q.stored<int16_t>(-1e9f), -32768);
  EXPECT_EQ(q.stored<int16_t>(32767.0f * 0.5f), 32767);
  EXPECT_EQ(q.stored<int16_t>(-0.25f), 2);
}

TEST(Model, TellsObserversOfLayersInOrder) {
  nnom::Model<Two> model;
  std::copy_n("\1\2\3", 3, model.input().begin());
  struct Heard {
    std::string names;
    std::vector<int> first_bytes;
  } heard;
  model.run(
      [](void* context, const nnom::LayerInfo& layer) {
        auto& h = *static_cast<Heard*>(context);
        h.names += fmt::format("{} {} {} {} {};", layer.index, layer.name, layer.type, layer.macs,
                               layer.output_bytes);
        h.first_bytes.push_back(*static_cast<const int8_t*>(layer.output));
      },
      &heard);
  EXPECT_EQ(heard.names, "0 double Mul 3 3;1 sum Add 5 2;");
  EXPECT_EQ(heard.first_bytes, (std::vector{2, 6}));
  EXPECT_EQ(stored(model.output()), (std::vector{2, 4, 6}));
}

TEST(Model, RunsUpToALayer) {
  nnom::Model<Two> model{};
  std::copy_n("\1\2\3", 3, model.input().begin());
  const nnom::LayerInfo first = model.run_to(model.layer("double"));
  EXPECT_STREQ(first.name, "double");
  EXPECT_EQ(static_cast<const int8_t*>(first.output)[2], 6);
  EXPECT_EQ(stored(model.input()), (std::vector{1, 2, 3}));  // the second did not run
  const nnom::LayerInfo none = model.run_to(model.layer("doubl"));
  EXPECT_EQ(none.name, nullptr);
  EXPECT_EQ(none.output, nullptr);
  EXPECT_EQ(stored(model.input()), (std::vector{1, 2, 3}));
  EXPECT_EQ(model.input_data(1), model.input<1>().data());
  EXPECT_STREQ(model.run_to(1).name, "sum");
  EXPECT_EQ(model.output<1>()[0], 6);
}

TEST(Arena, IsSharedByModels) {
  static nnom::Arena<Two, Next> arena;
  static_assert(sizeof arena.data == 160 && alignof(decltype(arena)) == 16);
  static_assert(nnom::Arena<Next, Two>::bytes == 160 && nnom::Arena<Two>::bytes == 64);
  static_assert(nnom::Arena<Two, Two, Next, Two>::bytes == 160);
  nnom::Runner<Two> two(arena);
  nnom::Runner<Next> next(arena);
  for (int round = 0; round < 2; ++round) {
    std::copy_n("\1\2\3", 3, two.input().begin());
    std::copy_n("\4\5", 2, two.input<1>().begin());
    two.run();
    EXPECT_EQ(stored(two.output<1>()), (std::vector{6, 9}));
    const int8_t in[] = {9, 8, 7, 6};
    int8_t out[4];
    next.run(in, out);
    EXPECT_EQ(stored(out), (std::vector{10, 9, 8, 7}));
  }
  // A buffer of the user's own.
  struct alignas(16) {
    unsigned char data[200];
  } buffer;
  nnom::Runner<Next>(buffer).input()[0] = 5;
  EXPECT_EQ(buffer.data[128], 5);
}

/// Runs with 1, and with 10; resets; and again.
template <class M>
std::vector<int> remembered(M& model) {
  std::vector<int> out;
  for (const int in : {1, 10, 1}) {
    if (out.size() == 2) model.reset();
    model.input()[0] = static_cast<int8_t>(in);
    model.run();
    out.push_back(model.output()[0]);
  }
  return out;
}

TEST(Model, RemembersFromItsFirstRunToAReset) {
  nnom::Model<Sum> model;
  EXPECT_EQ(remembered(model), (std::vector{6, 16, 6}));
  static nnom::Model<Sum> constant;
  EXPECT_EQ(remembered(constant), (std::vector{6, 16, 6}));
  nnom::Arena<Sum> arena;
  std::memset(arena.data, 99, sizeof arena.data);
  for (int object = 0; object < 2; ++object) {  // each begins anew
    nnom::Runner<Sum> runner(arena);
    EXPECT_EQ(remembered(runner), (std::vector{6, 16, 6}));
  }
}

TEST(Model, IsNothingButItsArena) {
  EXPECT_EQ(sizeof(nnom::Model<Next>), 160u);
  EXPECT_EQ(sizeof(nnom::Runner<Next>), sizeof(void*));
  static_assert(std::is_trivially_default_constructible_v<nnom::Model<Next>>);
  static_assert(std::is_trivially_destructible_v<nnom::Model<Next>>);
}

TEST(Quantisation, RoundsHalvesAsAsked) {
  using nnom::Halves;
  const float halves[] = {-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f};
  const std::pair<Halves, std::vector<int>> cases[] = {
      {Halves::away_from_zero, {-3, -2, -1, 1, 2, 3}},
      {Halves::to_even, {-2, -2, 0, 0, 2, 2}},
      {Halves::to_even_of_product, {-2, -2, 0, 0, 2, 2}},
  };
  for (const auto& [rounding, want] : cases) {
    const nnom::Quantisation q(0.25f, 3, rounding);
    for (size_t i = 0; i < want.size(); ++i) EXPECT_EQ(q.stored(0.25f * halves[i]), 3 + want[i]);
  }
  // 1 / 0.3f is rounded up: the product is half way, the quotient below it.
  const float x = 0.15f;
  const nnom::Quantisation product(0.3f, 0, Halves::to_even_of_product), quotient(0.3f, 0);
  EXPECT_EQ(product.stored(x), std::nearbyint(x * (1 / 0.3f)));
  EXPECT_EQ(quotient.stored(x), std::round(x / 0.3f));
}

/// The nearest stored value of value / scale, as a float, halves away from zero.
int nearest(float value, const nnom::Quantisation& q) {
  const float steps = value / q.scale;
  if (std::isnan(steps)) return q.zero;
  const double limited = std::fmax(-1000.0, std::fmin(1000.0, static_cast<double>(steps)));
  return std::max(-128, std::min(127, static_cast<int>(std::round(limited)) + q.zero));
}

TEST(Quantisation, StoresTheNearestValue) {
  using F = std::numeric_limits<float>;
  std::vector<float> values = {
      0.0f,         -0.0f,       F::infinity(), -F::infinity(),  F::quiet_NaN(),   -F::quiet_NaN(),
      F::max(),     F::lowest(), F::min(),      F::denorm_min(), -F::denorm_min(), 0.49999997f,
      -0.49999997f, 1e10f,       -1e10f,        2147483648.0f,   -2147483648.0f,   4294967296.0f};
  for (int i = -600; i <= 600; ++i) {
    const float half = static_cast<float>(i) / 2;  // every tie, and the floats beside it
    values.insert(values.end(), {half, std::nextafterf(half, -1e9f), std::nextafterf(half, 1e9f)});
  }
  Random r(1);
  for (int i = 0; i < 2000; ++i) values.push_back(static_cast<float>(r.real(-200, 200)));
  for (const float scale : {1.0f, 0.5f, 0.1f, 3.0f, 1e-30f, 1e30f, F::min(), F::max()})
    for (const int zero : {-128, -1, 0, 1, 5, 127})
      for (const float value : values) {
        const nnom::Quantisation q{scale, zero};
        EXPECT_EQ(q.stored(value), nearest(value, q)) << value << " / " << scale << " + " << zero;
        EXPECT_EQ(q.stored(value * scale), nearest(value * scale, q));
      }
}

TEST(Quantisation, RoundTrips) {
  for (const float scale : {1.0f, 1.0f / 256, 0.1f, 0.0235f, 1e-30f, 1e30f})
    for (const int zero : {-128, 0, 77, 127})
      for (int v = -128; v < 128; ++v) {
        const nnom::Quantisation q{scale, zero};
        EXPECT_EQ(q.stored(q.real(v)), v) << scale << " " << zero;
      }
  EXPECT_EQ((nnom::Quantisation{0.5f, -3}.real(-3)), 0.0f);
}

}  // namespace
}  // namespace nnomc
