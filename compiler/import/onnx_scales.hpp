/// \file
/// From a graph in which an ONNX file quantises some tensors to one in which all are.
#pragma once

#include <string>

#include "compiler/graph.hpp"

namespace nnomc::onnx {

/// Gives every tensor a scale: that of the QuantizeLinear that reads it (by then a linear
/// Activation whose output has the scale), of the tensor whose values it holds, or where an op
/// has a natural one, that. Returns "", or which tensor is left without; then the graph is only
/// good for drop_scales.
std::string settle_scales(Graph& graph);

/// Makes it a graph of real numbers, to be calibrated. Where a QuantizeLinear was a ReLU, because
/// nothing below its zero point can be stored, it stays one.
void drop_scales(Graph& graph);

}  // namespace nnomc::onnx
