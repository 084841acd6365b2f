// Operators that move values, or say how they lie.
#include <algorithm>
#include <climits>

#include "compiler/import/tflite_operators.hpp"

namespace nnomc::tflite {
namespace {

void pad_with(Call& call, nnom::Beyond mode, float value) {
  const int x = call.whole(0), rank = call.in(0).rank();
  const std::vector<int> sizes = call.integers(1);
  if (static_cast<int>(sizes.size()) != 2 * rank)
    call.fail("it has {} sizes for {} axes", sizes.size(), rank);
  nnom::Pad op;
  op.mode = mode;
  op.value = value;
  const int hidden = call.in(0).hidden();
  bool batch = false;
  for (int a = 0; a < rank; ++a) {
    op.before[a] = sizes[static_cast<size_t>(2 * a)];
    op.after[a] = sizes[static_cast<size_t>(2 * a + 1)];
    if (op.before[a] < 0 || op.after[a] < 0 || op.before[a] + op.after[a] > 1 << 24)
      call.fail("it adds {} and {} elements to axis {}", op.before[a], op.after[a], a);
    batch |= a < hidden && (op.before[a] || op.after[a]);
  }
  if (batch || !hidden) return call.set(call.add(op, {x}));
  // Without the batch a border of zeros can become one of the convolution behind it.
  for (int a = 0; a + 1 < rank; ++a) op.before[a] = op.before[a + 1], op.after[a] = op.after[a + 1];
  op.before[rank - 1] = op.after[rank - 1] = 0;
  call.set(call.add(op, {call.tensor(0)}));
}

}  // namespace

void reshape(Call& call) { call.set(call.tensor(0)); }

void quantize(Call& call) {
  const int x = call.tensor(0);
  if (!call.quantised() || call.scale(x) == call.out().scale) return call.set(x);
  if (call.out().type == format::ElementType_int32) call.fail("its output is int32");
  nnom::Activation op;
  op.function = nnom::Function::linear;
  call.set(call.add(op, {x}));
}

void dequantize(Call& call) { call.set(call.tensor(0)); }

void shape(Call& call) {
  const std::vector<int>& dims = call.in(0).dims;
  call.set_constant({dims.begin(), dims.end()});
}

void pad(Call& call) { pad_with(call, nnom::Beyond::constant, 0); }

void pad_v2(Call& call) {
  const std::vector<float> value = call.reals(2);
  if (value.size() != 1) call.fail("it has {} values to pad with", value.size());
  pad_with(call, nnom::Beyond::constant, value[0]);
}

void mirror_pad(Call& call) {
  const bool symmetric = call.options<format::MirrorPadOptions>().mode() == 1;
  pad_with(call, symmetric ? nnom::Beyond::symmetric : nnom::Beyond::reflect, 0);
}

int transposed(Call& call, int x, const std::vector<int>& order) {
  nnom::Transpose op;
  for (size_t i = 0; i < order.size(); ++i) op.order[i] = order[i];
  return call.add_moved(op, x);
}

void transpose(Call& call) {
  const int x = call.whole(0), rank = call.in(0).rank();
  const std::vector<int> order = call.integers(1);
  if (static_cast<int>(order.size()) != rank) call.fail("its order has {} entries", order.size());
  if (!call.in(0).hidden() || order[0] != 0) return call.set(transposed(call, x, order));
  std::vector<int> rest;
  for (size_t i = 1; i < order.size(); ++i) rest.push_back(order[i] - 1);
  call.set(transposed(call, call.tensor(0), rest));
}

void space_to_depth(Call& call) {
  const int b = call.options<format::BlockOptions>().size(), x = call.picture(0);
  const Shape s = call.shape(x);
  if (b < 1 || s[0] % b || s[1] % b) call.fail("its block of {} does not fit its input", b);
  const int split = call.reshape(x, {5, {s[0] / b, b, s[1] / b, b, s[2]}});
  call.set(transposed(call, split, {0, 2, 1, 3, 4}));
}

void depth_to_space(Call& call) {
  const int b = call.options<format::BlockOptions>().size(), x = call.picture(0);
  const Shape s = call.shape(x);
  if (b < 1 || b > 1 << 10 || s[2] % (b * b))
    call.fail("its block of {} does not fit its input", b);
  const int split = call.reshape(x, {5, {s[0], s[1], b, b, s[2] / (b * b)}});
  call.set(transposed(call, split, {0, 2, 1, 3, 4}));
}

/// Blocks of each spatial axis become batches: {n, h, w, rest} to {bh * bw * n, h / bh, w / bw,
/// ..}.
void space_to_batch_nd(Call& call) {
  const std::vector<int> block = call.integers(1), border = call.integers(2);
  const int m = static_cast<int>(block.size()), rank = call.in(0).rank();
  if (m + 1 > rank || static_cast<int>(border.size()) != 2 * m || rank + m > 6)
    call.fail("blocks of {} axes are not supported", m);
  nnom::Pad pad;
  for (int i = 0; i < m; ++i) {
    pad.before[i + 1] = border[static_cast<size_t>(2 * i)];
    pad.after[i + 1] = border[static_cast<size_t>(2 * i + 1)];
  }
  const int x = call.add_moved(pad, call.whole(0));
  const Shape s = call.shape(x);
  Shape split{1, {s[0]}};
  std::vector<int> order;
  for (int i = 0; i < m; ++i) {
    const int b = block[static_cast<size_t>(i)];
    if (b < 1 || s[i + 1] % b) call.fail("its block of {} does not fit its input", b);
    split.d[split.rank++] = s[i + 1] / b, split.d[split.rank++] = b;
    order.push_back(2 * i + 2);
  }
  order.push_back(0);
  for (int i = 0; i < m; ++i) order.push_back(2 * i + 1);
  for (int i = m + 1; i < rank; ++i) split.d[split.rank++] = s[i], order.push_back(m + i);
  call.set(transposed(call, call.reshape(x, split), order));
}

void batch_to_space_nd(Call& call) {
  const std::vector<int> block = call.integers(1), crop = call.integers(2);
  const int m = static_cast<int>(block.size()), rank = call.in(0).rank(), x = call.whole(0);
  const Shape s = call.shape(x);
  int64_t blocks = 1;
  for (const int b : block) blocks = b < 1 ? 0 : std::min<int64_t>(blocks * b, INT_MAX);
  if (m + 1 > rank || static_cast<int>(crop.size()) != 2 * m || rank + m > 6 || blocks < 1 ||
      s[0] % blocks)
    call.fail("its blocks do not fit its input");
  Shape split, joined{1, {static_cast<int>(s[0] / blocks)}};
  for (const int b : block) split.d[split.rank++] = b;
  split.d[split.rank++] = joined[0];
  std::vector<int> order = {m};
  for (int i = 1; i < rank; ++i) {
    split.d[split.rank++] = s[i];
    joined.d[joined.rank++] = i <= m ? s[i] * block[static_cast<size_t>(i - 1)] : s[i];
    order.push_back(m + i);
    if (i <= m) order.push_back(i - 1);
  }
  const int whole = call.reshape(transposed(call, call.reshape(x, split), order), joined);
  nnom::Slice cut;
  cut.out = joined;
  for (int i = 0; i < m; ++i) {
    cut.begin[i + 1] = crop[static_cast<size_t>(2 * i)];
    cut.out.d[i + 1] -= cut.begin[i + 1] + crop[static_cast<size_t>(2 * i + 1)];
  }
  call.set(call.add_moved(cut, whole));
}

}  // namespace nnomc::tflite
