/// \file
/// Rewrites of the graph that leave its results as they are, and make it cheaper.
#pragma once

#include "compiler/graph.hpp"

namespace nnomc {

/// Runs every pass until none finds anything to do.
void optimise(Graph& graph);
/// The same, as if no tensor had a scale.
void optimise_reals(Graph& graph);

/// Folds a per-channel scale and shift (a batch normalisation) into the linear op before it, or the
/// two of a sum before it, or the one after it where that is exact.
bool fold_affine(Graph& graph);
/// Makes a sum pooling of an average pooling whose output is multiplied by the window's size.
bool fuse_sum(Graph& graph);
/// Makes one function of a product with a sigmoid of the other factor: x * sigmoid(x).
bool fuse_gate(Graph& graph);
/// Turns a node that only limits the range into the range of the op before it.
bool fuse_range(Graph& graph);
/// The same for a ReLU of a quantised graph, where no byte changes: both have one scale.
bool fuse_range_exactly(Graph& graph);
/// Has a recurrent layer make only the row that is read of it, where that is the one made last.
bool keep_last(Graph& graph);
/// Makes a Pad part of the border of the ops that read it.
bool fold_pad(Graph& graph);
/// Has what several nodes make alike made by the first of them.
bool merge_common(Graph& graph);
/// Removes nodes that change nothing, or whose result nobody reads.
bool remove_identities(Graph& graph);

}  // namespace nnomc
