// Every op's kernel, in every arithmetic and packing, against the naive oracle: through the op
// table and the simulator as a whole, and called directly for bands of rows and windows on longer
// tensors.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <optional>

#include "compiler/quantise/scales.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/kernel_runner.hpp"
#include "tests/oracle.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using Bytes = std::vector<unsigned char>;

Bytes bytes_of(std::span<const unsigned char> s) { return {s.begin(), s.end()}; }

/// A layer with everything a run needs, and what it has to give.
struct Case {
  Graph graph;
  std::vector<Quantisation> scales;
  bool per_channel = true;
  Scheme scheme = Scheme::affine;
  std::vector<std::vector<int>> stored;   // inputs
  std::vector<std::vector<double>> real;  // the same inputs, as numbers

  const Node& node() const { return graph.nodes[0]; }
};

/// Scale and zero point such that [lo, hi] is about what int8 holds; sometimes far too small or
/// large, so that much is cut or little is left.
Quantisation random_scale(double lo, double hi, Random& r) {
  const double width = std::max({hi - std::min(lo, 0.0), hi - lo, 1e-3});
  // Uneven, so that no value lies halfway between two steps.
  const double scale =
      width / 255 * r.real(0.9, 1.1) * r.of({1.0, 1.0, 1.0, 0.3, 4.0, 0.02, 0.001});
  const int fitting = static_cast<int>(std::clamp(std::round(-128 - lo / scale), -128.0, 127.0));
  return {static_cast<double>(static_cast<float>(scale)),
          r.one_in(4) ? r.whole(-128, 127) : fitting};
}

/// The same as a power of two: any from the next one above down to 2^7 times too small.
Quantisation symmetric(const Quantisation& q, Random& r) {
  return {oracle::power_of_two(q.scale) * (r.one_in(4) ? std::exp2(r.whole(-7, 0)) : 1), 0};
}

/// Whether TFLite defines the result: no accumulator leaves 32 bits when it is scaled.
bool defined(const Case& c) {
  if (info(c.node().op).real_only) return true;
  try {
    for (const Rounding r : c.scheme == Scheme::affine
                                ? std::vector{Rounding::single_rounding, Rounding::double_rounding}
                                : std::vector{Rounding::nearest})
      oracle::stored_output(c.graph, c.node(), c.scales, r, c.per_channel, c.stored);
  } catch (const std::bad_optional_access&) {
    return false;
  }
  return true;
}

/// The same of int16: 256 times as many steps, and no zero points.
Quantisation widened(const Quantisation& q) { return {q.scale / 256, 0, 16}; }

Case random_case(const std::string& op, unsigned seed, bool wide = false,
                 Scheme scheme = Scheme::affine) {
  Random r(seed);
  Case c;
  c.scheme = scheme;
  const bool shifts = scheme == Scheme::power_of_two;
  c.graph = random_layer(op, r);
  c.per_channel = !r.one_in(3);
  c.scales.resize(c.graph.tensors.size());
  for (const int t : c.graph.inputs) {
    Quantisation& q = c.scales[static_cast<size_t>(t)];
    q = {static_cast<double>(static_cast<float>(std::exp2(r.real(-7, -4)))),
         r.of({0, -128, 127, r.whole(-128, 127)})};
    if (wide) q = widened(q);
    if (shifts) q = symmetric(q, r);
    const int extreme = r.of({1, 4, 100});
    std::vector<int> stored;
    std::vector<double> real;
    for (int i = 0; i < c.graph.shape(t).size(); ++i) {
      stored.push_back(r.one_in(extreme) ? r.of({q.lowest(), q.highest(), q.zero})
                                         : r.whole(q.lowest(), q.highest()));
      real.push_back(static_cast<double>(static_cast<float>(oracle::real(stored.back(), q))));
    }
    c.stored.push_back(stored), c.real.push_back(real);
  }
  const auto out = static_cast<size_t>(c.node().output);
  if (info(c.node().op).same_scale) {
    c.scales[out] = c.scales[0];
  } else if (wide && (op == "Concat" || op == "Maximum" || op == "Minimum" || op == "Select")) {
    for (Quantisation& q : c.scales) q = c.scales[0];
  } else if (const auto fixed = fixed_output(c.node(), scheme); fixed && op != "Activation") {
    c.scales[out] = *fixed;
    if (wide) c.scales[out].bits = 16;
  } else {
    double lo = 0, hi = 0;
    for (const double v : oracle::real_output(c.graph, c.node(), c.real))
      if (std::isfinite(v)) lo = std::min(lo, v), hi = std::max(hi, v);
    c.scales[out] = random_scale(lo, hi, r);
    if (wide) c.scales[out] = widened(c.scales[out]);
    if (shifts) c.scales[out] = symmetric(c.scales[out], r);
    while (!defined(c)) c.scales[out].scale *= 16;
  }
  for (size_t t = 0; wide && t < c.scales.size(); ++t)
    c.graph.tensors[t].quantisation = c.scales[t];
  if (!wide && op == "Concat" && r.one_in(2)) c.scales[out] = c.scales[0];
  return c;
}

Program program_of(const Case& c, const Numbers& numbers) {
  return lower(c.graph, c.scales, {numbers, c.per_channel, true});
}

/// The inputs as a program with these numbers stores them.
std::vector<Bytes> input_bytes(const Case& c, const Numbers& numbers) {
  std::vector<Bytes> inputs;
  for (size_t i = 0; i < c.stored.size(); ++i) {
    Bytes bytes;
    for (size_t k = 0; k < c.stored[i].size(); ++k) {
      const auto f = static_cast<float>(c.real[i][k]);
      const auto stored = static_cast<int16_t>(c.stored[i][k]);
      unsigned char raw[4]{};
      std::memcpy(raw, &stored, 2);
      if (!numbers.quantised) std::memcpy(raw, &f, 4);
      bytes.insert(bytes.end(), raw, raw + numbers.element_bytes());
    }
    inputs.push_back(std::move(bytes));
  }
  return inputs;
}

Bytes simulate(const Program& program, const std::vector<Bytes>& inputs) {
  Simulator simulator(program);
  for (size_t i = 0; i < inputs.size(); ++i)
    std::copy(inputs[i].begin(), inputs[i].end(), simulator.input_bytes(i).begin());
  simulator.run();
  return bytes_of(simulator.output_bytes(0));
}

/// Empty, or where and how `got` differs from what the oracle says.
std::string difference(const Case& c, const Numbers& numbers, const Bytes& got) {
  if (numbers.quantised) {
    const auto want = oracle::stored_output(c.graph, c.node(), c.scales, numbers.rounding,
                                            c.per_channel, c.stored);
    // The oracle divides exactly, the kernels in 23 or 31 bits.
    const int most = std::holds_alternative<nnom::Softmax>(c.node().op) ||
                             std::holds_alternative<nnom::Div>(c.node().op)
                         ? 1
                         : 0;
    const auto element = static_cast<size_t>(numbers.element_bytes());
    if (got.size() != want.size() * element) return "wrong size";
    for (size_t i = 0; i < want.size(); ++i) {
      int16_t v = static_cast<int8_t>(got[i * element]);
      if (element == 2) std::memcpy(&v, got.data() + 2 * i, 2);
      if (std::abs(v - want[i]) > most)
        return fmt::format("element {}: {} instead of {}", i, v, want[i]);
    }
    return "";
  }
  const std::vector<double> want = oracle::real_output(c.graph, c.node(), c.real);
  const bool grows = std::string_view(info(c.node().op).name).ends_with("Layer");
  double size = 0;
  for (const auto& values : {want, c.real[0]})
    for (const double v : values)
      if (std::isfinite(v)) size = std::max(size, std::abs(v));
  for (size_t i = 0; i < want.size(); ++i) {
    float v;
    std::memcpy(&v, got.data() + i * 4, 4);
    if (std::isnan(want[i]) ? std::isnan(v) : static_cast<float>(want[i]) == v) continue;
    // What a recurrent layer lets grow beyond a float may become infinity on one way, NaN on
    // another.
    if (grows && !std::isfinite(static_cast<float>(want[i]))) continue;
    if (!(std::abs(static_cast<double>(v) - want[i]) <=
          2e-7 * std::abs(want[i]) + 1e-12 * size + 1e-30))
      return fmt::format("element {}: {} instead of {}", i, v, want[i]);
  }
  return got.size() == want.size() * 4 ? "" : "wrong size";
}

/// Runs the kernel band by band. Input and output lie in rings of as many rows as a band needs, if
/// `rings`; memory around them and not yet written is `fill`.
Bytes run_bands(const Case& c, const Program& program, const std::vector<Bytes>& inputs, bool rings,
                Random& r, bool tiles = false) {
  const Op& op = c.node().op;
  const Numbers& numbers = program.node_numbers[0];
  const int rows = output_rows(op), element = numbers.element_bytes();
  const int in_row = input_pitch(op) * element, out_row = output_pitch(op) * element;
  const Bytes::value_type fill = static_cast<unsigned char>(r.whole(0, 255));
  const int scratch_bytes = info(op).memory(op, numbers).scratch;
  Bytes result(static_cast<size_t>(rows * out_row), fill);
  for (int y0 = 0, y1; y0 < rows; y0 = y1) {
    y1 = r.whole(y0 + 1, std::min(rows, y0 + 4));
    std::vector<float> scratch(static_cast<size_t>(scratch_bytes / 4 + 1), NAN);
    RowsCall call{
        .in = {}, .out = {result.data()}, .scratch = nullptr, .state = nullptr, .y0 = y0, .y1 = y1};
    call.scratch = reinterpret_cast<unsigned char*>(scratch.data());
    call.tiles = tiles;
    const auto [first, last] = input_rows(op, y0, y1);
    std::vector<Bytes> memory;
    for (const Bytes& input : inputs) {
      Rows view{input.data()};
      const int ring = std::max(last - first, 1) + r.whole(0, 2);
      if (rings && in_row) {
        memory.emplace_back(static_cast<size_t>(ring * in_row), fill);
        for (int y = first; y < last; ++y)
          std::memcpy(memory.back().data() + y % ring * in_row, input.data() + y * in_row,
                      static_cast<size_t>(in_row));
        // Row 0 lies whole rings before; only ever computed, as an integer.
        const int before = first / ring * ring;
        view = {reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(memory.back().data()) -
                                              static_cast<uintptr_t>(before * in_row)),
                before + ring, ring};
      }
      call.in.push_back(view);
    }
    Bytes out_memory(static_cast<size_t>((y1 - y0) * out_row), fill);
    if (rings) {  // of as many rows as the band, beginning in its middle
      const int ring = y1 - y0, before = y0 / ring * ring;
      call.out = {reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(out_memory.data()) -
                                                static_cast<uintptr_t>(before * out_row)),
                  before + ring, ring};
    }
    run_kernel_rows(op, numbers, program.data[0], call);
    if (rings)
      for (int y = y0; y < y1; ++y)
        std::memcpy(result.data() + y * out_row, out_memory.data() + y % (y1 - y0) * out_row,
                    static_cast<size_t>(out_row));
  }
  return result;
}

class Kernels : public testing::TestWithParam<std::string> {
 protected:
  static void check(unsigned first_seed, unsigned count) {
    for (unsigned seed = first_seed; seed < first_seed + count && !HasFailure(); ++seed) {
      const Case affine = random_case(GetParam(), seed);
      const Case shifts = random_case(GetParam(), seed, false, Scheme::power_of_two);
      for (const Numbers& numbers : all_numbers()) {
        if (numbers.quantised && info(affine.node().op).real_only) continue;
        check(numbers.scheme() == Scheme::affine ? affine : shifts, numbers, seed);
      }
    }
  }
  /// In int16 too, but for functions of one value, whose oracle is TFLite (tflite_int16_test).
  static void check_wide(unsigned first_seed, unsigned count) {
    for (const char* other : {"Activation", "Softmax", "Lstm"})
      if (GetParam() == other) return;
    if (!has_int16(GetParam())) return;
    for (unsigned seed = first_seed; seed < first_seed + count && !HasFailure(); ++seed)
      check(random_case(GetParam(), seed, true), {true, Rounding::double_rounding, Layout::plain},
            seed);
  }

 private:
  static void check(const Case& c, const Numbers& model, unsigned seed) {
    SCOPED_TRACE(fmt::format("seed {}, {}{}: {}", seed, describe(model),
                             c.per_channel ? "" : " per tensor", describe(c.node())));
    const Program program = program_of(c, model);
    const Numbers& numbers = program.node_numbers[0];
    const std::vector<Bytes> inputs = input_bytes(c, numbers);
    const Bytes whole = simulate(program, inputs);
    EXPECT_EQ(difference(c, numbers, whole), "");
    Random r(seed);
    if (runs_in_tiles(c.node().op, numbers) && output_pitch(c.node().op) > 0) {
      EXPECT_EQ(run_bands(c, program, inputs, false, r, true), whole) << "in tiles";
      EXPECT_EQ(run_bands(c, program, inputs, true, r, true), whole) << "in tiles, in rings";
    }
    if (output_rows(c.node().op) == 1) return;
    EXPECT_EQ(run_bands(c, program, inputs, false, r), whole) << "in bands";
    EXPECT_EQ(run_bands(c, program, inputs, true, r), whole) << "in bands, in rings";
  }
};

TEST_P(Kernels, AgreeWithTheDefinition) { check(1, 4000); }
TEST_P(Kernels, AgreeWithTheDefinitionInInt16) { check_wide(1, 2000); }

INSTANTIATE_TEST_SUITE_P(All, Kernels, testing::ValuesIn(op_names()),
                         [](const auto& op) { return op.param; });

class SlowKernels : public Kernels {};

TEST_P(SlowKernels, AgreeWithTheDefinition) { check(10'000, 60'000); }

INSTANTIATE_TEST_SUITE_P(Slow, SlowKernels, testing::ValuesIn(op_names()),
                         [](const auto& op) { return op.param; });

}  // namespace
}  // namespace nnomc
