#include <algorithm>
#include <cmath>
#include <numeric>

#include "compiler/import/onnx_elementwise.hpp"

namespace nnomc::onnx {
namespace {

/// Entries of an axis: begin, begin + step, ...
struct Piece {
  int axis;
  int64_t begin, step, count;
};

Value sliced(Call& call, const Value& value, const std::vector<Piece>& pieces,
             std::string_view suffix = "") {
  if (value.constant) {
    Constant c = *value.constant;
    for (const Piece& p : pieces) {
      std::vector<int64_t> indices;
      for (int64_t i = 0; i < p.count; ++i) indices.push_back(p.begin + i * p.step);
      c = taken(c, static_cast<size_t>(p.axis), indices);
    }
    return call.made(std::move(c));
  }
  std::vector<int> needed;
  Dims to = value.dims;
  for (const Piece& p : pieces) {
    if (p.count < 1) call.fail("not supported: an empty tensor, {}", show(value.dims));
    if (p.begin == 0 && p.step == 1 && p.count == value[p.axis]) continue;
    needed.push_back(p.axis);
    to[static_cast<size_t>(p.axis)] = p.count;
  }
  if (needed.empty()) return value;
  const std::vector<int> order = call.order_of(value, needed);
  const int tensor = call.arrange(value, order);
  nnom::Slice op;
  op.out = call.shape(tensor);
  for (const Piece& p : pieces) {
    const auto at = std::find(order.begin(), order.end(), p.axis) - order.begin();
    if (at == static_cast<std::ptrdiff_t>(order.size())) continue;
    op.begin[at] = static_cast<int>(p.begin);
    op.step[at] = p.count > 1 ? static_cast<int>(p.step) : 1;
    op.out.d[at] = static_cast<int>(p.count);
  }
  return call.made(call.add(op, {tensor}, suffix), std::move(to), order, value.type);
}

}  // namespace

Value gathered(Call& call, const Value& value, int axis, const std::vector<int64_t>& indices) {
  const int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  bool even = !indices.empty() && step != 0;
  for (size_t i = 1; i < indices.size(); ++i) even &= indices[i] - indices[i - 1] == step;
  if (even)
    return sliced(call, value, {{axis, indices[0], step, static_cast<int64_t>(indices.size())}});
  int64_t size = static_cast<int64_t>(indices.size());
  for (int i = 0; i < value.rank(); ++i) size *= i == axis ? 1 : value[i];
  if (size > kMaxElements) call.fail("its output is too large");
  if (value.constant) {
    call.count_folded(size);
    return call.made(taken(*value.constant, static_cast<size_t>(axis), indices));
  }
  const std::vector<int> order = call.order_of(value, {axis});
  nnom::Gather op;
  op.axis = static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
  op.indices = call.shape_of({static_cast<int64_t>(indices.size())});
  Dims to = value.dims;
  to[static_cast<size_t>(axis)] = static_cast<int64_t>(indices.size());
  const int tensor = call.add(op, {call.arrange(value, order)}, "",
                              std::vector<float>(indices.begin(), indices.end()));
  return call.made(tensor, std::move(to), order, value.type);
}

Values slice(Call& call) {
  const Value& in = call.in(0);
  const bool inputs = call.opset() >= 10;
  const auto starts = call.list("starts", inputs ? 1 : SIZE_MAX);
  const auto ends = call.list("ends", inputs ? 2 : SIZE_MAX);
  if (!starts || !ends || starts->size() != ends->size()) call.fail("its 'starts' or 'ends' miss");
  std::vector<int> axes(starts->size());
  std::iota(axes.begin(), axes.end(), 0);
  if (const auto given = call.axes("axes", inputs ? 3 : SIZE_MAX, in.rank())) axes = *given;
  std::vector<int64_t> steps(starts->size(), 1);
  if (inputs && call.has(4)) steps = integers_of(call.constant(4));
  if (axes.size() != starts->size() || steps.size() != starts->size() ||
      axes.size() > in.dims.size())
    call.fail("its 'starts', 'axes' and 'steps' differ in number");
  std::vector<Piece> pieces;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t n = in[axes[i]];
    const int64_t step = std::clamp(steps[i], -kMaxElements, kMaxElements);
    if (step == 0) call.fail("its step is 0");
    if (n == 0) continue;
    const auto place = [&](int64_t at, int64_t low, int64_t high) {
      return std::clamp(at < 0 ? at + n : at, low, high);
    };
    const int64_t begin = step > 0 ? place((*starts)[i], 0, n) : place((*starts)[i], 0, n - 1);
    const int64_t end = step > 0 ? place((*ends)[i], 0, n) : place((*ends)[i], -1, n - 1);
    const int64_t count =
        step > 0 ? (end - begin + step - 1) / step : (begin - end - step - 1) / -step;
    pieces.push_back({axes[i], begin, step, std::max(count, int64_t{0})});
  }
  return {sliced(call, in, pieces)};
}

Values split(Call& call) {
  const Value& in = call.in(0);
  const int axis = call.axis(call.integer("axis", 0), in.rank());
  const auto parts = static_cast<int64_t>(call.node().outputs.size());
  std::vector<int64_t> sizes;
  if (const auto given = call.list("split", 1)) {
    sizes = *given;
  } else {
    const int64_t each = (in[axis] + parts - 1) / parts;
    for (int64_t i = 0; i < parts; ++i)
      sizes.push_back(std::clamp(in[axis] - i * each, int64_t{0}, each));
  }
  call.integer("num_outputs", parts);
  Values out;
  int64_t begin = 0;
  for (const int64_t n : sizes) {
    if (n < 0 || n > in[axis] - begin) call.fail("its parts {} don't fit", show(sizes));
    const std::string suffix = sizes.size() > 1 ? fmt::format("/{}", out.size()) : "";
    out.push_back(sliced(call, in, {{axis, begin, 1, n}}, suffix));
    begin += n;
  }
  return out;
}

Values gather(Call& call) {
  const Value& in = call.in(0);
  const int axis = call.axis(call.integer("axis", 0), in.rank());
  const Constant& given = call.constant(1);
  std::vector<int64_t> indices = integers_of(given);
  for (int64_t& i : indices) {
    if (i < -in[axis] || i >= in[axis]) call.fail("index {} of an axis of {}", i, in[axis]);
    if (i < 0) i += in[axis];
  }
  const Value out = gathered(call, in, axis, indices);
  Dims to(in.dims.begin(), in.dims.begin() + axis);
  to.insert(to.end(), given.dims.begin(), given.dims.end());
  to.insert(to.end(), in.dims.begin() + axis + 1, in.dims.end());
  return {reshape_to(call, out, to)};
}

Values expand(Call& call) {
  Value out = call.in(0);
  Dims to;
  const Dims wanted = integers_of(call.constant(1));
  if (wanted.size() > kMaxRank) call.fail("its shape has too many axes");
  int64_t size = 1;
  for (const int64_t n : wanted)
    if (n < 0 || n > kMaxElements || (size *= std::max(n, int64_t{1})) > kMaxElements)
      call.fail("its shape is {}", show(wanted));
  if (!broadcast(out.dims, wanted, to))
    call.fail("{} doesn't become {}", show(out.dims), show(wanted));
  Dims padded = out.dims;
  padded.insert(padded.begin(), to.size() - padded.size(), 1);
  out = reshape_to(call, out, padded);
  for (int i = 0; i < out.rank(); ++i)
    if (out[i] != to[static_cast<size_t>(i)])
      out = gathered(call, out, i,
                     std::vector<int64_t>(static_cast<size_t>(to[static_cast<size_t>(i)]), 0));
  return {out};
}

Values tile(Call& call) {
  Value out = call.in(0);
  const std::vector<int64_t> repeats = integers_of(call.constant(1));
  if (repeats.size() != out.dims.size())
    call.fail("its repeats {} don't fit {}", show(repeats), show(out.dims));
  for (int axis = 0; axis < out.rank(); ++axis) {
    const int64_t times = repeats[static_cast<size_t>(axis)];
    if (times == 1) continue;
    if (times < 0 || times > kMaxElements || times * out[axis] > kMaxElements)
      call.fail("its repeats are {}", show(repeats));
    std::vector<int64_t> indices;
    for (int64_t i = 0; i < times * out[axis]; ++i) indices.push_back(i % out[axis]);
    out = gathered(call, out, axis, indices);
  }
  return {out};
}

Values pad(Call& call) {
  const Value& in = call.in(0);
  const bool inputs = call.opset() >= 11;
  const std::string mode = call.text("mode", "constant");
  const auto pads = call.list(call.opset() < 2 ? "paddings" : "pads", inputs ? 1 : SIZE_MAX);
  std::vector<int> axes(in.dims.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (const auto given = call.axes("axes", inputs ? 3 : SIZE_MAX, in.rank())) axes = *given;
  if (!pads || pads->size() != axes.size() * 2) call.fail("its pads don't fit its input");
  nnom::Pad op;
  op.value = inputs ? 0 : call.real("value", 0);
  if (inputs && call.has(2)) {
    if (call.constant(2).data.size() != 1) call.fail("its value is not one number");
    op.value = static_cast<float>(call.constant(2).data[0]);
  }
  if (!std::isfinite(op.value)) call.fail("not supported: a value of {}", op.value);
  if (call.session().quantised && in.tensor >= 0 && is_integer(in.type))
    op.value = static_cast<float>(meant_by(call, in, double{op.value}));
  if (mode == "reflect")
    op.mode = nnom::Beyond::reflect;
  else if (mode == "edge")
    op.mode = nnom::Beyond::edge;
  else if (mode != "constant")
    call.fail("not supported: mode '{}'", mode);
  std::vector<Piece> pieces;
  std::vector<int> needed;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t before = (*pads)[i], after = (*pads)[i + axes.size()], n = in[axes[i]];
    if (std::max(before, after) > kMaxElements || std::min(before, after) < -kMaxElements)
      call.fail("its pads are {}", show(*pads));
    const int64_t cut = std::max(-before, int64_t{0});
    pieces.push_back({axes[i], cut, 1, n - cut - std::max(-after, int64_t{0})});
    if (before > 0 || after > 0) needed.push_back(axes[i]);
  }
  const Value inner = sliced(call, in, pieces, "/cut");
  if (needed.empty()) return {inner};
  const std::vector<int> order = call.order_of(inner, needed);
  Dims to = inner.dims;
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto at = std::find(order.begin(), order.end(), axes[i]) - order.begin();
    if (at == static_cast<std::ptrdiff_t>(order.size()) || at > 5) continue;
    op.before[at] = static_cast<int>(std::max((*pads)[i], int64_t{0}));
    op.after[at] = static_cast<int>(std::max((*pads)[i + axes.size()], int64_t{0}));
    to[static_cast<size_t>(axes[i])] += op.before[at] + op.after[at];
  }
  return {call.made(call.add(op, {call.arrange(inner, order)}), std::move(to), order, in.type)};
}

/// A product with zeros and ones.
Values trilu(Call& call) {
  const Value& in = call.in(0);
  if (in.rank() < 2) call.fail("its input {} is not a matrix", show(in.dims));
  const int64_t rows = in[in.rank() - 2], columns = in[in.rank() - 1];
  const int64_t k = call.has(1) ? std::clamp(integer_at(call.constant(1), 0), -rows, columns) : 0;
  const bool upper = call.flag("upper", true);
  Constant mask{in.type, {rows, columns}, {}};
  call.count_folded(rows * columns);
  for (int64_t y = 0; y < rows; ++y)
    for (int64_t x = 0; x < columns; ++x) mask.data.push_back(upper ? x - y >= k : x - y <= k);
  if (in.constant)
    return {call.made(
        combined(*in.constant, mask, in.type, [](double v, double m) { return m != 0 ? v : 0; }))};
  Value out = times(call, in, call.made(std::move(mask)));
  out.type = in.type;
  return {out};
}

}  // namespace nnomc::onnx
