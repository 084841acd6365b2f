// The layer API: every layer against Keras and the oracles, and how models are put together.
#include "nnom/build.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <span>
#include <vector>

#include "compiler/graph.hpp"
#include "tests/fixtures/layers/keras_layers.hpp"
#include "tests/oracle.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using namespace nnom::layers;
using nnom::Network, nnom::range;

/// The network that `describe` builds as the compiler's graph, for the oracles. What is part of the
/// layer before is left out.
template <auto describe>
struct AsGraph {
  using B = typename nnom::Graph<describe>::B;
  Graph graph;
  std::vector<Quantisation> scales;
  std::map<int, int> tensor;         // of the graph, by that of the network
  std::vector<size_t> runs;          // nodes that run
  std::vector<int> wanted_tensor{};  // of the network, by node

  AsGraph() {
    for (int i = 0; i < B::net.inputs; ++i) {
      const int t = B::net.input_of[i];
      tensor[t] = graph.add_input(B::net.tensor[t].name, B::net.tensor[t].shape);
      add_scale(t);
    }
    [this]<int... I>(std::integer_sequence<int, I...>) { (add<I>(), ...); }
    (std::make_integer_sequence<int, B::net.nodes>());
  }
  void add_scale(int t) {
    const nnom::Quantisation& q = B::net.tensor[t].quantisation;
    scales.push_back({static_cast<double>(q.scale), q.zero});
  }
  template <int I>
  void add() {
    const nnom::Node& n = B::net.node[I];
    const nnom::Settings& s = n.settings;
    if (n.alias && std::string(B::template op<I>.name) == "Activation") {
      tensor[n.out] = tensor.at(n.in[0]);
      return;
    }
    Node node;
    node.name = n.name;
    node.op = B::template op<I>;
    for (int k = 0; k < n.inputs; ++k) node.inputs.push_back(tensor.at(n.in[k]));
    const auto weights = [&](const nnom::Weights& w, int channels) {
      for (int i = 0; i < w.count; ++i)
        node.weights.push_back(static_cast<float>(w(i, i / (w.count / channels))));
    };
    const nnom::Wanted wanted = nnom::wanted(B::template op<I>);
    weights(s.weights, std::max(wanted.bias, 1));
    weights(s.recurrent, std::max(wanted.bias, 1));
    if (wanted.bias) {
      node.bias.resize(static_cast<size_t>(wanted.bias + wanted.recurrent_bias));
      std::copy_n(s.bias.real, s.bias.count, node.bias.begin());
      std::copy_n(s.recurrent_bias.real, s.recurrent_bias.count, node.bias.begin() + wanted.bias);
    }
    node.range = {s.lo, s.hi};
    tensor[n.out] = graph.add(std::move(node));
    add_scale(n.out);
    if (!n.alias) runs.push_back(graph.nodes.size() - 1);
  }
};

/// Stored values of each layer of a model, by the oracle: from its inputs and from those of the
/// layers before.
template <auto describe>
void expect_as_oracle(const std::vector<std::vector<float>>& inputs) {
  using G = nnom::Graph<describe>;
  const AsGraph<describe> as;
  static nnom::Arena<G> arena;
  std::vector<std::vector<int>> values(as.graph.tensors.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const nnom::Slot slot = G::input(static_cast<unsigned>(i));
    for (size_t k = 0; k < slot.bytes; ++k) {
      const int8_t v = slot.quantisation.stored(inputs[i][k]);
      values[static_cast<size_t>(as.graph.inputs[i])].push_back(v);
      arena.data[slot.offset + k] = static_cast<unsigned char>(v);
    }
  }
  std::vector<std::vector<int>> seen;
  if constexpr (requires { G::reset(arena.data); }) G::reset(arena.data);
  G::observe(
      arena.data,
      [](void* to, const nnom::LayerInfo& layer) {
        const auto* const bytes = static_cast<const int8_t*>(layer.output);
        static_cast<decltype(seen)*>(to)->emplace_back(bytes, bytes + layer.output_bytes);
      },
      &seen);
  ASSERT_EQ(seen.size(), as.runs.size());
  EXPECT_EQ(seen.size(), G::layer_count);
  size_t at = 0;
  for (const Node& node : as.graph.nodes) {
    std::vector<std::vector<int>> in;
    for (const int t : node.inputs) in.push_back(values[static_cast<size_t>(t)]);
    const bool runs = !std::holds_alternative<nnom::Reshape>(node.op);
    const std::vector<int> want =
        oracle::stored_output(as.graph, node, as.scales, Rounding::double_rounding, true, in);
    const std::vector<int>& got = values[static_cast<size_t>(node.output)] =
        runs ? seen[at++] : want;
    // Functions are the nearest value; TFLite's may be another by one.
    const bool near = std::holds_alternative<nnom::Activation>(node.op) ||
                      std::holds_alternative<nnom::Softmax>(node.op);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i)
      EXPECT_LE(std::abs(got[i] - want[i]), near ? 1 : 0) << nnomc::describe(node) << " " << i;
  }
}

/// Outputs in real numbers as Keras's; int8's as the oracle's, and near Keras's.
template <auto describe>
void check(const std::vector<std::span<const float>>& inputs, std::span<const float> want,
           double tolerance) {
  static nnom::Ranges<describe> real;
  static nnom::Model<nnom::Graph<describe>> model;
  std::vector<std::vector<float>> copies;
  const auto fill = [&]<size_t I>() {
    if constexpr (I < nnom::Graph<describe>::input_count) {
      ASSERT_EQ(real.template input<I>().size(), inputs[I].size());
      const nnom::Quantisation q = nnom::Graph<describe>::input(I).quantisation;
      for (size_t k = 0; k < inputs[I].size(); ++k) {
        real.template input<I>()[k] = inputs[I][k];
        model.template input<I>()[k] = q.stored(inputs[I][k]);
      }
      copies.emplace_back(inputs[I].begin(), inputs[I].end());
    }
  };
  fill.template operator()<0>(), fill.template operator()<1>(), fill.template operator()<2>();
  ASSERT_EQ(real.output().size(), want.size());
  real.see();
  model.run();
  const nnom::Quantisation q = nnom::Graph<describe>::output(0).quantisation;
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(real.output()[i], want[i], 1e-5) << i;
    EXPECT_NEAR(q.real(model.output()[i]), want[i], tolerance) << i;
  }
  expect_as_oracle<describe>(copies);
}

constexpr auto kUnit = range(-1, 1);

/// A model of `name`, its layers added to m, against what Keras computes for its inputs.
#define KERAS_LAYER(name, tolerance, inputs, ...) \
  constexpr void name##_model(Network& m) {       \
    using namespace keras::name;                  \
    __VA_ARGS__;                                  \
    m.output();                                   \
  }                                               \
  TEST(Layer, name) {                             \
    using namespace keras::name;                  \
    check<name##_model>(inputs, out, tolerance);  \
  }
using One = std::vector<std::span<const float>>;

KERAS_LAYER(conv2d, 0.1, One{in0}, m.input("x", {5, 6, 2}, kUnit);
            m.add("l", conv2d(3, {.kernel = {3, 2}}, w0, w1, range(-6, 6))))
KERAS_LAYER(conv2d_same, 0.1, One{in0}, m.input("x", {7, 6, 2}, kUnit);
            m.add("l", conv2d(4, {.kernel = {3, 3}, .stride = {2, 2}, .padding = same}, w0, w1,
                              range(-8, 8))))
KERAS_LAYER(conv2d_dilated, 0.1, One{in0}, m.input("x", {7, 6, 2}, kUnit);
            m.add("l", conv2d(2, {.kernel = {3, 3}, .dilation = {2, 2}}, w0, {}, range(-8, 8))))
KERAS_LAYER(conv2d_groups, 0.1, One{in0}, m.input("x", {4, 4, 4}, kUnit);
            m.add("l", conv2d(6, {.kernel = {2, 2}, .groups = 2}, w0, w1, range(-6, 6))))
KERAS_LAYER(conv1d, 0.1, One{in0}, m.input("x", {9, 3}, kUnit);
            m.add("l",
                  conv1d(4, {.kernel = 3, .stride = 2, .padding = same}, w0, w1, range(-6, 6))))
KERAS_LAYER(conv1d_causal, 0.1, One{in0}, m.input("x", {7, 2}, kUnit);
            m.add("l",
                  conv1d(3, {.kernel = 3, .dilation = 2, .padding = causal}, w0, w1, range(-6, 6))))
KERAS_LAYER(dw_conv2d, 0.1, One{in0}, m.input("x", {6, 5, 3}, kUnit);
            m.add("l", dw_conv2d({.kernel = {3, 3}, .stride = {2, 2}, .padding = same}, w0, w1,
                                 range(-6, 6))))
KERAS_LAYER(dw_conv1d, 0.1, One{in0}, m.input("x", {8, 3}, kUnit);
            m.add("l", dw_conv1d({.kernel = 3}, w0, w1, range(-4, 4))))
KERAS_LAYER(conv2d_trans, 0.1, One{in0}, m.input("x", {3, 4, 2}, kUnit);
            m.add("l", conv2d_trans(3, {.kernel = {3, 3}, .stride = {2, 2}, .padding = same}, w0,
                                    w1, range(-6, 6))))
KERAS_LAYER(conv2d_trans_valid, 0.1, One{in0}, m.input("x", {3, 3, 2}, kUnit);
            m.add("l", conv2d_trans(2, {.kernel = {2, 3}, .stride = {2, 1}}, w0, w1, range(-6, 6))))
KERAS_LAYER(dense, 0.1, One{in0}, m.input("x", {11}, kUnit);
            m.add("l", dense(5, w0, w1, range(-6, 6))))
constexpr nnom::Normalisation kNormal{keras::batch_norm::w0, keras::batch_norm::w1,
                                      keras::batch_norm::w2, keras::batch_norm::w3};
KERAS_LAYER(batch_norm, 0.1, One{in0}, m.input("x", {4, 3, 5}, kUnit);
            m.add("l", batch_norm(kNormal, range(-6, 6))))
constexpr nnom::Normalisation kLineNormal{keras::batch_norm_line::w0, keras::batch_norm_line::w1,
                                          keras::batch_norm_line::w2, keras::batch_norm_line::w3,
                                          0.01f};
KERAS_LAYER(batch_norm_line, 0.1, One{in0}, m.input("x", {7}, kUnit);
            m.add("l", batch_norm(kLineNormal, range(-6, 6))))
KERAS_LAYER(max_pool, 0.01, One{in0}, m.input("x", {5, 6, 2}, kUnit); m.add("l", max_pool({2, 2})))
KERAS_LAYER(max_pool_same, 0.01, One{in0}, m.input("x", {5, 7, 2}, kUnit);
            m.add("l", max_pool({3, 3}, {2, 2}, same)))
KERAS_LAYER(avg_pool, 0.01, One{in0}, m.input("x", {6, 6, 2}, kUnit); m.add("l", avg_pool({2, 2})))
KERAS_LAYER(max_pool1d, 0.01, One{in0}, m.input("x", {8, 2}, kUnit); m.add("l", max_pool1d(3, 2)))
KERAS_LAYER(avg_pool1d, 0.01, One{in0}, m.input("x", {8, 2}, kUnit); m.add("l", avg_pool1d(2)))
KERAS_LAYER(sum_pool, 0.05, One{in0}, m.input("x", {6, 6, 2}, kUnit); m.add("l", sum_pool({2, 2})))
KERAS_LAYER(sum_pool1d, 0.03, One{in0}, m.input("x", {8, 2}, kUnit);
            m.add("l", sum_pool1d(2, 2, valid, range(-2, 2))))
KERAS_LAYER(global_sum_pool, 0.1, One{in0}, m.input("x", {4, 3, 5}, kUnit);
            m.add("l", global_sum_pool()))
KERAS_LAYER(global_max_pool, 0.01, One{in0}, m.input("x", {4, 3, 5}, kUnit);
            m.add("l", global_max_pool()))
KERAS_LAYER(global_avg_pool, 0.01, One{in0}, m.input("x", {4, 3, 5}, kUnit);
            m.add("l", global_avg_pool()))
KERAS_LAYER(zero_padding, 0.01, One{in0}, m.input("x", {3, 4, 2}, kUnit);
            m.add("l", zero_padding({.top = 1, .left = 0, .bottom = 2, .right = 1})))
KERAS_LAYER(cropping, 0.01, One{in0}, m.input("x", {5, 6, 2}, kUnit);
            m.add("l", cropping({.top = 1, .left = 0, .bottom = 2, .right = 1})))
KERAS_LAYER(up_sample, 0.01, One{in0}, m.input("x", {3, 4, 2}, kUnit);
            m.add("l", up_sample({2, 3})))
KERAS_LAYER(up_sample_bilinear, 0.01, One{in0}, m.input("x", {3, 4, 2}, kUnit);
            m.add("l", up_sample({2, 2}, true)))
KERAS_LAYER(flatten, 0.01, One{in0}, m.input("x", {3, 2, 2}, kUnit); m.add("l", flatten()))
KERAS_LAYER(reshape, 0.01, One{in0}, m.input("x", {3, 4}, kUnit); m.add("l", reshape({2, 6})))
KERAS_LAYER(permute, 0.01, One{in0}, m.input("x", {3, 4, 2}, kUnit); m.add("l", permute({2, 0, 1})))
KERAS_LAYER(softmax, 0.01, One{in0}, m.input("x", {3, 4}, kUnit); m.add("l", softmax()))

#define KERAS_FUNCTION(name, ...) \
  KERAS_LAYER(name, 0.1, One{in0}, m.input("x", {15}, range(-7, 7)); m.active(__VA_ARGS__))
KERAS_FUNCTION(relu, relu())
KERAS_FUNCTION(relu6, relu6())
KERAS_FUNCTION(leaky_relu, leaky_relu(0.3f))
KERAS_FUNCTION(adv_relu, adv_relu(0.1f, 5, 1.5f))
KERAS_FUNCTION(elu, elu(0.7f))
KERAS_FUNCTION(sigmoid, sigmoid())
KERAS_FUNCTION(hard_sigmoid, hard_sigmoid())
KERAS_FUNCTION(tanh, nnom::layers::tanh())
KERAS_FUNCTION(hard_tanh, hard_tanh())
KERAS_FUNCTION(swish, swish())
KERAS_FUNCTION(hard_swish, hard_swish())
KERAS_FUNCTION(gelu, gelu())
KERAS_LAYER(prelu, 0.01, One{in0}, m.input("x", {3, 5}, kUnit); m.add("l", prelu({1, 5}, w0)))

using Several = std::vector<std::span<const float>>;
#define THREE                                                                  \
  const auto a = m.input("a", {2, 5}, kUnit), b = m.input("b", {2, 5}, kUnit), \
             c = m.input("c", {2, 5}, kUnit)
#define TWO const auto a = m.input("a", {2, 5}, kUnit), b = m.input("b", {2, 5}, kUnit)
KERAS_LAYER(add, 0.05, (Several{in0, in1, in2}), THREE; m.merge("l", add(), a, b, c))
KERAS_LAYER(sub, 0.03, (Several{in0, in1}), TWO; m.merge("l", sub(), a, b))
KERAS_LAYER(mult, 0.03, (Several{in0, in1}), const auto a = m.input("a", {2, 5}, kUnit);
            const auto b = m.input("b", {1, 5}, kUnit); m.merge("l", mult(), a, b))
KERAS_LAYER(maximum, 0.01, (Several{in0, in1, in2}), THREE; m.merge("l", maximum(), a, b, c))
KERAS_LAYER(minimum, 0.01, (Several{in0, in1}), TWO; m.merge("l", minimum(), a, b))
KERAS_LAYER(average, 0.03, (Several{in0, in1, in2}), THREE; m.merge("l", average(), a, b, c))
KERAS_LAYER(concat, 0.02, (Several{in0, in1}), const auto a = m.input("a", {2, 3}, kUnit);
            const auto b = m.input("b", {2, 4}, range(-2, 2)); m.merge("l", concat(), a, b))
KERAS_LAYER(concat_axis, 0.01, (Several{in0, in1, in2}), const auto a = m.input("a", {2, 3}, kUnit);
            const auto b = m.input("b", {1, 3}, kUnit), c = m.input("c", {4, 3}, kUnit);
            m.merge("l", concat(0), a, b, c))

KERAS_LAYER(simple_rnn, 0.05, One{in0}, m.input("x", {6, 3}, kUnit);
            m.add("l", simple_rnn(4, w0, w1, w2)))
KERAS_LAYER(gru, 0.05, One{in0}, m.input("x", {6, 3}, kUnit);
            m.add("l", gru(4, w0, w1, w2, {.sequences = true, .recurrent_bias = w3})))
KERAS_LAYER(gru_reset_before, 0.05, One{in0}, m.input("x", {6, 3}, kUnit);
            m.add("l", gru(4, w0, w1, w2, {}, false)))
KERAS_LAYER(lstm, 0.05, One{in0}, m.input("x", {6, 3}, kUnit);
            m.add("l", lstm(4, w0, w1, w2, {.backwards = true})))

}  // namespace
}  // namespace nnomc
