/// \file
/// Tensors that lie in another order than Keras has: nothing is moved until a layer needs it.
#pragma once

#include "compiler/import/keras_layers.hpp"

namespace nnomc::keras {

/// How Keras sees a tensor of the graph.
View view_of(const Session& session, int tensor);

/// The graph's tensor of `tensor` with Keras's axes in the order given.
int arranged(LayerCall& call, int tensor, const std::vector<int>& order);
/// The same in Keras's own order.
int plain(LayerCall& call, int tensor);
/// The same elements, in Keras's order, under another shape.
int reshaped(LayerCall& call, int tensor, const Dims& to);
/// Axis i of the result is Keras's axis order[i] of `tensor`.
int transposed(LayerCall& call, int tensor, const std::vector<int>& order);
/// Tensors side by side along an axis; any number.
int joined(LayerCall& call, std::vector<int> tensors, int axis);

/// {1, 2, 0}: of [channels, height, width], the order with channels last.
std::vector<int> channels_last(int rank);
/// {2, 0, 1}: the other way.
std::vector<int> channels_first(int rank);
bool is_channels_first(const Config& config);

/// Adds the nodes of a call, whose operands are brought to an order that the row can work with.
/// Returns its output, whose view is noted.
int add_layer(LayerCall& call, const LayerRow& row);

/// Whether an input gets, by way of layers that keep the order of axes, to one that has its
/// channels first.
bool reads_channels_first(const Model& model, int input);

// keras_distributed.cpp

/// The same for a layer that is applied to each step of time, the operands' first axis: to all
/// steps at once where it can be, else to one after the other.
int add_distributed(LayerCall& call, const LayerRow& row);

}  // namespace nnomc::keras
