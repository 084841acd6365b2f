#include "compiler/op_table.hpp"

#include <algorithm>
#include <array>

#include "compiler/emit/text.hpp"
#include "compiler/error.hpp"
#include "compiler/node_numbers.hpp"
#include "compiler/quantise/elementwise_data.hpp"
#include "compiler/quantise/other_data.hpp"
#include "compiler/quantise/recurrent_layer_data.hpp"
#include "nnom/turns.hpp"

namespace nnomc {
namespace {

template <class O>
constexpr bool same_scale = requires {
  requires O::same_scale;
};

template <class O>
constexpr int min_inputs() {
  if constexpr (requires { O::min_inputs; }) return O::min_inputs;
  return 1;
}

/// How generated code calls what a node's data point to.
struct DataNames {
  const NodeData& data;
  const std::string& prefix;

  std::string operator()(const void* pointer) const {
    for (const Blob& b : data.blobs)
      if (b.data == pointer && pointer) return prefix + b.field;
    return "nullptr";
  }
  std::string function() const { return prefix + "hook"; }
};

template <class O>
constexpr OpInfo entry() {
  using Reference = typename O::template Data<nnom::Float<double, nnom::layout::Vector>>;
  constexpr bool linear = is_linear<O>();
  const auto buffers = [](const O& op, const NodePlace& place) {
    nnom::Buffers<O> b;
    for (size_t i = 0; i < place.in.size(); ++i)
      b.in[i] = {place.in[i], nnom::in_pitch(op), place.in_ring.empty() ? 0 : place.in_ring[i]};
    b.out = {place.out, nnom::out_pitch(op), place.out_ring};
    b.scratch = place.scratch;
    if constexpr (nnom::keeps_state<O>) b.state = place.state;
    return b;
  };
  using Buffers = decltype(buffers);
  OpInfo t{};
  t.name = O::name;
  t.min_inputs = min_inputs<O>();
  t.max_inputs = O::max_inputs;
  t.linear = linear;
  t.same_scale = same_scale<O>;
  t.real_only = real_only<O>;
  t.long_sums = long_sums<O>;
  t.alias = requires { O::alias; };
  t.scales_itself = requires { O::scales_itself; };
  t.clamps = requires(Reference d) { d.clamp; };
  t.infer = [](Op& op, const Shape* inputs, int count) {
    return std::get<O>(op).infer(inputs, count);
  };
  t.macs = [](const Op& op) { return std::get<O>(op).macs(); };
  t.weights = [](const Op& op) -> size_t {
    if constexpr (linear) {
      const Packing<nnom::Float<double, nnom::layout::Plain>> p(std::get<O>(op));
      return p.channels * p.per_channel;
    } else if constexpr (requires(const O& o) { o.constants(); }) {
      return static_cast<size_t>(std::get<O>(op).constants());
    }
    return 0;
  };
  t.channels = [](const Op& op) -> size_t {
    if constexpr (linear)
      return Packing<nnom::Float<double, nnom::layout::Plain>>(std::get<O>(op)).channels;
    else if constexpr (requires(const O& o) { o.biases(); })
      return static_cast<size_t>(std::get<O>(op).biases());
    return 0;
  };
  t.memory = [](const Op& op, const Numbers& numbers) {
    return with_numbers_of<O>(numbers,
                              [&]<class N>() { return std::get<O>(op).template memory<N>(); });
  };
  t.data = [](const Node& node, const Numbers& numbers, const NodeScales& scales) {
    if (!with_numbers(numbers, []<class N>() { return computes<O, N>(); }))
      throw Error("layer '{}' ({}): {} of tensors can't be computed in {}", node.name, node.source,
                  O::name, width_text(numbers));
    return with_numbers_of<O>(numbers, [&]<class N>() {
      auto value = std::make_shared<typename O::template Data<N>>();
      NodeData data;
      make(std::get<O>(node.op),
           Making{node, scales, data, numbers.single(), numbers.rounding == Rounding::truncating},
           *value);
      data.value = std::move(value);
      return data;
    });
  };
  t.op_text = [](const Op& op) { return fields_text(std::get<O>(op)); };
  t.data_text = [](const NodeData& data, const Numbers& numbers, const std::string& prefix) {
    return with_numbers_of<O>(numbers, [&]<class N>() {
      return fields_text(*static_cast<const typename O::template Data<N>*>(data.value.get()),
                         DataNames{data, prefix});
    });
  };
  t.buffers_text = [](const Op& op, const NodePlace& place) {
    const nnom::Buffers<O> b = Buffers{}(std::get<O>(op), place);
    std::string in;
    for (size_t i = 0; i < place.in.size(); ++i) in += (i ? ", " : "") + value_text(b.in[i]);
    std::string s = fmt::format("{{.in = {{{}}}, .out = {}", in, value_text(b.out));
    if (b.scratch) s += fmt::format(", .scratch = {}", b.scratch);
    if (place.state) s += fmt::format(", .state = {}", place.state);
    return s + "}";
  };
  t.turns = [](const Op& op) { return nnom::turns_of(std::get<O>(op)); };
  t.reads = [](const Op& op, int y) {
    return std::pair(nnom::first_read(std::get<O>(op), y), nnom::rows_read(std::get<O>(op), y));
  };
  return t;
}

template <class... O>
struct Entries {
  static constexpr std::array<OpInfo, sizeof...(O)> table{entry<O>()...};
};

}  // namespace

const OpInfo& info(const Op& op) { return nnom::Ops<Entries>::table[op.index()]; }

ChannelWeights channel_weights(const Node& node, size_t channel) {
  const size_t channels = info(node.op).channels(node.op), count = node.weights.size() / channels;
  if (std::holds_alternative<nnom::DepthwiseConv2D>(node.op)) return {channel, count, channels};
  return {channel * count, count, 1};
}

}  // namespace nnomc
