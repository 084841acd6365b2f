/// \file
/// What each layer gives, computed naively from the definition in its op's comment: no packing, no
/// tiles, no memory plan, and TFLite's quantisation as its specification has it, or scales that are
/// powers of two.
#pragma once

#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"
#include "compiler/quantise/quantisation.hpp"

namespace nnomc::oracle {

/// A layer's output for real inputs, in double.
std::vector<double> real_output(const Graph& graph, const Node& node,
                                const std::vector<std::vector<double>>& inputs);

/// A layer's stored output for stored inputs. `scales` has one entry a tensor of the graph. Tensors
/// of 16 bits are as TFLite Micro has them; their functions of one value and softmax aren't here.
std::vector<int> stored_output(const Graph& graph, const Node& node,
                               const std::vector<Quantisation>& scales, Rounding rounding,
                               bool per_channel, const std::vector<std::vector<int>>& inputs);

/// real / scale rounded half away from zero, plus the zero point, within what q holds.
int stored(double real, const Quantisation& q);
inline double real(int stored, const Quantisation& q) { return q.scale * (stored - q.zero); }

/// The smallest power of two that is at least x; x > 0.
double power_of_two(double x);

/// The function of an Activation, as Keras defines it.
double activation(const nnom::Activation& op, double x);

}  // namespace nnomc::oracle
