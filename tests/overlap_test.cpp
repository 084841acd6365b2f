// The lead that each op claims (nnom::Memory): run with its output over its input at that distance,
// it gives what it gives in memory of its own; and where the claim is tight, not any closer.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "compiler/node_numbers.hpp"
#include "compiler/plan/plan.hpp"
#include "tests/kernel_runner.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr int kAlign = 16;

/// A layer, ready to run with its input, output and scratch anywhere.
struct Layer {
  Graph graph;
  Numbers numbers;
  NodeData data;
  nnom::Memory memory;
  std::vector<Bytes> inputs;
  size_t output_bytes = 0;

  const Op& op() const { return graph.nodes[0].op; }
};

Layer random_case(const std::string& op, const Numbers& numbers, unsigned seed) {
  Random r(seed);
  Layer l;
  l.graph = random_layer(op, r);
  l.numbers = numbers;
  const Node& node = l.graph.nodes[0];
  // Scales that keep the variety of the values: the output's as the inputs'.
  NodeScales scales{std::vector<Quantisation>(node.inputs.size(), {0.02, -3}), {0.02, 4}, true};
  if (numbers.width == Width::int16) {
    scales = {std::vector<Quantisation>(node.inputs.size(), {1e-4, 0, 16}), {1e-4, 0, 16}, true};
    for (Tensor& t : l.graph.tensors) t.quantisation = scales.out;
    l.numbers = numbers_of(l.graph, node, numbers);
    if (auto* softmax = std::get_if<nnom::Softmax>(&l.graph.nodes[0].op)) softmax->log = false;
  }
  if (numbers.scheme() == Scheme::power_of_two)
    scales = {std::vector<Quantisation>(node.inputs.size(), {0x1p-6, 0}),
              {0x1p-6, 0},
              true,
              Reference::tflite,
              Scheme::power_of_two};
  if (info(node.op).same_scale) scales.out = scales.in[0];
  l.data = info(node.op).data(node, l.numbers, scales);
  l.memory = info(node.op).memory(node.op, l.numbers);
  for (const int t : l.graph.inputs) {
    Bytes bytes;
    for (int i = 0; i < l.graph.shape(t).size(); ++i) {
      const auto f = static_cast<float>(r.real(-2, 2));
      unsigned char raw[4] = {static_cast<unsigned char>(r.whole(0, 255))};
      if (numbers.width == Width::int16) raw[1] = static_cast<unsigned char>(r.whole(0, 255));
      if (!numbers.quantised) std::memcpy(raw, &f, 4);
      bytes.insert(bytes.end(), raw, raw + numbers.element_bytes());
    }
    l.inputs.push_back(std::move(bytes));
  }
  l.output_bytes = static_cast<size_t>(tensor_bytes(l.graph, node.output, numbers));
  return l;
}

/// Runs with the output `lead` bytes before input `over`, or apart from it where that is INT_MAX.
Bytes run(const Layer& l, int lead = INT_MAX, size_t over = 0) {
  const size_t in = l.inputs[over].size(), margin = in + l.output_bytes + 128;
  alignas(kAlign) static unsigned char pool[1 << 20];
  std::vector<double> scratch(static_cast<size_t>(l.memory.scratch / 8 + 1));
  std::vector<double> state(static_cast<size_t>(l.memory.state / 8 + 1));
  unsigned char* const input = pool + nnom::round_up(static_cast<int>(margin), kAlign);
  unsigned char* const output =
      lead == INT_MAX ? input + nnom::round_up(static_cast<int>(in), kAlign) : input - lead;
  EXPECT_LE(static_cast<size_t>(input - pool) + margin, sizeof pool);
  std::memset(pool, 0x55, static_cast<size_t>(input - pool) + margin);
  std::memcpy(input, l.inputs[over].data(), in);
  RowsCall call{.in = {},
                .out = {output},
                .scratch = reinterpret_cast<unsigned char*>(scratch.data()),
                .state = reinterpret_cast<unsigned char*>(state.data()),
                .y0 = 0,
                .y1 = output_rows(l.op())};
  for (size_t i = 0; i < l.inputs.size(); ++i)
    call.in.push_back({i == over ? input : l.inputs[i].data()});
  run_kernel_rows(l.op(), l.numbers, l.data, call);
  return {output, output + l.output_bytes};
}

/// Elements of float lie at multiples of their size, so a step is 4 bytes there.
int step(const Layer& l) { return l.numbers.element_bytes(); }

class Overlap : public testing::TestWithParam<std::string> {
 protected:
  static std::vector<Numbers> with_int16() {
    std::vector<Numbers> list = all_numbers();
    std::erase_if(list, [](const Numbers& n) {  // no packing of other layers
      return n.layout == Layout::quads && !info(op_named(GetParam())).linear;
    });
    if (has_int16(GetParam()))
      list.push_back({true, Rounding::double_rounding, Layout::plain, Width::int16});
    return list;
  }
  static void check(unsigned first_seed, unsigned count) {
    for (unsigned seed = first_seed; seed < first_seed + count && !HasFailure(); ++seed)
      for (const Numbers& numbers : with_int16()) {
        if (numbers.quantised && info(op_named(GetParam())).real_only) continue;
        const Layer l = random_case(GetParam(), numbers, seed);
        const Bytes apart = run(l);
        for (size_t over = 0; over < l.inputs.size(); ++over) {
          const int lead = l.memory.lead[static_cast<int>(over)];
          if (lead == nnom::Memory::never) continue;
          SCOPED_TRACE(fmt::format("seed {}, {}, lead {} over {}: {}", seed, describe(numbers),
                                   lead, over, describe(l.graph.nodes[0])));
          EXPECT_EQ(lead % step(l), 0) << "a lead that splits elements";
          EXPECT_GE(lead, -static_cast<int>(l.inputs[over].size()));
          // The planner may also leave more room than asked for.
          for (const int more : l.memory.exact ? std::vector{0} : std::vector{0, 1, 2, 3, 4, 7, 16})
            EXPECT_EQ(run(l, lead + more * step(l), over), apart) << more << " elements more";
        }
      }
  }
};

TEST_P(Overlap, AtTheLeadGivesTheSame) { check(1, 1000); }

INSTANTIATE_TEST_SUITE_P(All, Overlap, testing::ValuesIn(op_names()),
                         [](const auto& op) { return op.param; });

class SlowOverlap : public Overlap {};

TEST_P(SlowOverlap, AtTheLeadGivesTheSame) { check(10'000, 20'000); }

INSTANTIATE_TEST_SUITE_P(Slow, SlowOverlap, testing::ValuesIn(op_names()),
                         [](const auto& op) { return op.param; });

/// How many elements closer than its lead a layer can go until its result changes; INT_MAX: more
/// than a row of output.
int slack(const Layer& l, size_t over) {
  const Bytes apart = run(l);
  const int row = std::max(output_pitch(l.op()), 1), lead = l.memory.lead[static_cast<int>(over)];
  for (int closer = 1; closer <= row; ++closer)
    if (run(l, lead - closer * step(l), over) != apart) return closer - 1;
  return INT_MAX;
}

/// No claim is too careful: of many layers some fail one element closer.
TEST(OverlapClaims, AreTight) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "what is too close has memcpy copy onto itself";
#endif
  const Numbers floats{}, plain{true, Rounding::single_rounding, Layout::plain},
      dsp{true, Rounding::single_rounding, Layout::dsp},
      compact{true, Rounding::single_rounding, Layout::compact},
      vector{true, Rounding::single_rounding, Layout::vector};
  struct Claim {
    const char* op;
    Numbers numbers;
    int most;         ///< least slack of all layers, at most
    size_t over = 0;  ///< this input
  };
  constexpr int row = INT_MAX - 1;  // the claim is made by whole rows
  for (const Claim& c : std::vector<Claim>{{"Conv2D", dsp, 0},
                                           {"Conv2D", plain, 0},
                                           {"Conv2D", compact, 0},
                                           {"Conv2D", vector, 0},
                                           {"Conv2D", floats, 0},
                                           {"TransposeConv2D", dsp, 0},
                                           {"TransposeConv2D", plain, 0},
                                           {"DepthwiseConv2D", dsp, 0},
                                           {"DepthwiseConv2D", plain, 0},
                                           {"DepthwiseConv2D", compact, 0},
                                           {"DepthwiseConv2D", floats, 0},
                                           {"MaxPool2D", plain, row},
                                           {"AveragePool2D", plain, row},
                                           {"SumPool2D", plain, row},
                                           {"Add", plain, 0},
                                           {"Add", plain, 0, 1},
                                           {"Concat", plain, 0},
                                           {"Concat", plain, 0, 1},
                                           {"Activation", plain, 0},
                                           {"Softmax", plain, 0}}) {
    std::map<int, int> layers;  // by slack
    for (unsigned seed = 1; seed <= 400; ++seed) {
      const Layer l = random_case(c.op, c.numbers, seed);
      if (c.over >= l.inputs.size()) continue;
      // Where the whole input is read before anything is written there is no closer.
      const int lead = l.memory.lead[static_cast<int>(c.over)];
      if (lead != nnom::Memory::never && lead > -static_cast<int>(l.inputs[c.over].size()))
        ++layers[slack(l, c.over)];
    }
    EXPECT_LE(layers.begin()->first, c.most) << c.op << " " << describe(c.numbers);
  }
}

}  // namespace
}  // namespace nnomc
