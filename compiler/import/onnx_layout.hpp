/// \file
/// Where the elements of an ONNX tensor lie in a tensor of the graph.
///
/// ONNX has a batch axis and channels first, the graph neither. So each ONNX axis is described by
/// the places it runs over in memory. A picture [1, C, H, W] that lies channels last:
///
///     batch: {}   C: {{C, 1}}   H: {{H, W * C}}   W: {{W, C}}
///
/// Transpose, Squeeze, Flatten and nearly every Reshape only change this description: flattened,
/// the picture has the axes {} and {{C, 1}, {H, W * C}, {W, C}}.
#pragma once

#include <optional>
#include <vector>

#include "compiler/import/onnx_file.hpp"

namespace nnomc::onnx {

/// `count` places, `step` elements apart.
struct Run {
  int64_t count, step;
  bool operator==(const Run&) const = default;
};

/// An axis: places within places, outermost first. Empty for an axis of size 1. Neighbours that
/// are one run (the inner one ends where the outer one steps to) are always joined.
using Axis = std::vector<Run>;

/// The axes of a tensor. Together they reach each element of its memory once.
using Layout = std::vector<Axis>;

int64_t size_of(const Dims& dims);
/// Whether the model may compute a tensor of this shape.
bool is_small(const Dims& dims);

/// Appends `more` to `axis`, joining what is one run.
void append(Axis& axis, const Axis& more);

/// A tensor whose axes lie in memory in the order given, outermost first; axes that `order` leaves
/// out have size 1, and -1 stands for an axis that ONNX doesn't have.
Layout layout_in(const std::vector<int>& order, const Dims& dims);
/// A tensor in ONNX's own order.
Layout plain_layout(const Dims& dims);

/// The same elements, in ONNX's order, under another shape of the same size; nothing if that can't
/// be described without moving them.
std::optional<Layout> reshaped(const Layout& layout, const Dims& to);

/// The axes of more than one element in the order in which they lie in memory, outermost first;
/// nothing if some axis is not a single run.
std::optional<std::vector<int>> memory_order(const Layout& layout);

/// All runs of a layout, outermost first in memory.
Axis memory_runs(const Layout& layout);

/// For each element in memory, its place among the `from` elements of an array in ONNX's own
/// order: a broadcast array, if its axes (aligned at the last) have size 1 where the tensor's
/// don't.
std::vector<size_t> places_in(const Dims& from, const Layout& layout, const Dims& dims);

}  // namespace nnomc::onnx
