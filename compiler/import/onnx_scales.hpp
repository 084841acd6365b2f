/// \file
/// From a graph in which an ONNX file quantises some tensors to one in which all are.
#pragma once

#include <string>
#include <vector>

#include "compiler/graph.hpp"

namespace nnomc::onnx {

/// Whether the weights of a linear node are integers of 8 bits times these scales, of which there
/// is one for all channels or one for each.
bool are_int8(const Node& node, const std::vector<float>& scale);

/// Gives every tensor a scale: that of the QuantizeLinear that reads it (by then a linear
/// Activation whose output has the scale), of the tensor whose values it holds, or where an op
/// has a natural one, that. Returns "", or which tensor is left without; then the graph is only
/// good for drop_scales.
std::string settle_scales(Graph& graph);

/// Makes it a graph of real numbers, to be calibrated. Where a QuantizeLinear was a ReLU, because
/// nothing below its zero point can be stored, it stays one.
void drop_scales(Graph& graph);

}  // namespace nnomc::onnx
