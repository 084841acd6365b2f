/// \file
/// The layer API: a model built by hand, in C++. Shapes are checked, weights quantised and memory
/// planned at compile time.
///
///     using namespace nnom::layers;
///     constexpr void digits(nnom::Network& m) {
///       m.input("image", {28, 28, 1}, nnom::range(0, 1));
///       m.add("conv", conv2d(8, {.kernel = {3, 3}, .stride = {2, 2}}, weights, bias,
///                            nnom::range(-4, 4)));
///       m.active(relu());
///       m.add("pool", global_avg_pool());
///       m.output();
///     }
///     static nnom::Model<nnom::Graph<digits>> model;
#pragma once

#include "nnom/network/batch_norm.hpp"
#include "nnom/network/graph.hpp"
#include "nnom/network/lambda_layer.hpp"
#include "nnom/network/layers.hpp"
#include "nnom/network/pooling_layers.hpp"
#include "nnom/network/ranges.hpp"
#include "nnom/network/recurrent_layers.hpp"
