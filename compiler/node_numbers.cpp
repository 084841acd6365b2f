#include "compiler/node_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/error.hpp"
#include "compiler/op_table.hpp"
#include "compiler/quantise/dialect.hpp"

namespace nnomc {
namespace {

Rescaling rescaling_of(const Node& node, const Numbers& numbers) {
  const OpInfo& op = info(node.op);
  if (!op.linear) return op.long_sums ? Rescaling::reduced : Rescaling::twice;
  using Kernel = StoredWeights::Kernel;
  const Kernel kernel = node.stored ? node.stored->kernel : Kernel::convolution;
  if (kernel == Kernel::dense_32) return Rescaling::twice;
  return kernel == Kernel::dense && numbers.single() ? Rescaling::floating : Rescaling::reduced;
}

/// Whether widening a dense layer's input would take more memory than any layer needs for its
/// tensors.
bool widens_too_much(const Graph& graph, const Node& node) {
  const auto* dense = std::get_if<nnom::Dense>(&node.op);
  if (!dense) return false;
  const auto bytes = [&](int t) { return graph.shape(t).size() * bits_of(graph, t) / 8; };
  return std::ranges::all_of(graph.nodes, [&](const Node& n) {
    int sum = bytes(n.output);
    for (const int t : n.inputs) sum += bytes(t);
    return sum < 3 * dense->in;
  });
}

}  // namespace

int bits_of(const Graph& graph, int tensor) {
  const auto& q = graph.tensors[static_cast<size_t>(tensor)].quantisation;
  return q ? q->bits : 8;
}

Numbers numbers_of(const Graph& graph, const Node& node, Numbers numbers) {
  if (!numbers.quantised) return numbers;
  const int out = bits_of(graph, node.output);
  const int in = node.inputs.empty() ? out : bits_of(graph, node.inputs[0]);
  for (const int t : node.inputs)
    if (bits_of(graph, t) != in)
      throw Error("{}: layer '{}' ({}): some of its inputs are int8, others int16", graph.file,
                  node.name, node.source);
  numbers.width = in == out ? (in == 8 ? Width::int8 : Width::int16)
                            : (in == 8 ? Width::widening : Width::narrowing);
  if (numbers.width == Width::int8 && numbers.single() && graph.quantised() &&
      graph.reference == Reference::tflite && rounds_twice(graph, node))
    numbers.rounding = Rounding::double_rounding;
  if (numbers.width == Width::int8 && numbers.layout == Layout::dsp && widens_too_much(graph, node))
    numbers.layout = Layout::compact;
  if (numbers.layout == Layout::quads && !info(node.op).linear) numbers.layout = Layout::vector;
  if (numbers.width == Width::int16) numbers.rescaling = rescaling_of(node, numbers);
  return numbers;
}

const char* width_text(const Numbers& numbers) {
  if (!numbers.quantised) return "float";
  const char* const names[] = {"int8", "int16", "int8 to int16", "int16 to int8"};
  return names[static_cast<size_t>(numbers.width)];
}

std::string type_text(const Numbers& numbers) {
  const char* const layouts[] = {"Plain", "Dsp", "Vector", "Helium", "Compact", "Quads"};
  const char* const rescalings[] = {"Double", "Reduced", "Floating"};
  const char* const dialect = numbers.scheme() == Scheme::power_of_two ? "PowerOfTwo"
                              : numbers.single()                       ? "Single"
                                                                       : "Double";
  switch (numbers.width) {
    case Width::int8:
      return fmt::format("nnom::Int8<nnom::{}, nnom::layout::{}>", dialect,
                         layouts[static_cast<size_t>(numbers.layout)]);
    case Width::int16:
      return fmt::format("nnom::Int16<nnom::{}, nnom::layout::Plain>",
                         rescalings[static_cast<size_t>(numbers.rescaling)]);
    case Width::widening:
      return fmt::format("nnom::Widening<nnom::{}>", dialect);
    case Width::narrowing:
      break;
  }
  return "nnom::Narrowing";
}

}  // namespace nnomc
