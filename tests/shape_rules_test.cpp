// The shape rule of each op: the shape it gives, or what it has against its inputs.
#include <gtest/gtest.h>

#include "compiler/op_table.hpp"

namespace nnomc {
namespace {

using nnom::Border, nnom::Size;

struct Case {
  Op op;
  std::vector<Shape> inputs;
  Shape output;            ///< where `error` is empty
  std::string error = "";  ///< part of the message
};

/// A sliding op; channels are those of its output, for Conv2D.
template <class O>
O slide(Size kernel, Size stride = {1, 1}, Border pad = {}, Size dilation = {1, 1},
        int channels = 4, int groups = 1) {
  O op{};
  op.kernel = kernel, op.stride = stride, op.pad = pad, op.dilation = dilation;
  if constexpr (requires { op.groups; }) op.out.c = channels, op.groups = groups;
  return op;
}

Op activation() { return nnom::Activation{}; }
Op dense(int out) { return nnom::Dense{.in = 0, .out = out}; }
Op mean(std::vector<int> axes, bool keep = false) {
  nnom::Mean op;
  for (const int a : axes) op.axes[a] = true;
  op.keep = keep;
  return op;
}
Op concat(int axis) {
  nnom::Concat op;
  op.axis = axis;
  return op;
}
Op pad(std::vector<int> before, std::vector<int> after,
       nnom::Beyond mode = nnom::Beyond::constant) {
  nnom::Pad op;
  std::copy(before.begin(), before.end(), op.before);
  std::copy(after.begin(), after.end(), op.after);
  op.mode = mode;
  return op;
}
Op slice(std::vector<int> begin, std::vector<int> step, Shape out) {
  nnom::Slice op;
  std::copy(begin.begin(), begin.end(), op.begin);
  std::copy(step.begin(), step.end(), op.step);
  op.out = out;
  return op;
}
Op gather(int axis, Shape indices) {
  nnom::Gather op;
  op.axis = axis, op.indices = indices;
  return op;
}
Op add_constant(int operand, Shape shape) {
  nnom::Add op;
  op.constant = operand, op.constant_shape = shape;
  return op;
}
Op matmul(bool a, bool b) {
  nnom::MatMul op;
  op.transposed[0] = a, op.transposed[1] = b;
  return op;
}
Op transpose_conv(Size kernel, Size stride, Border pad = {}, Size extra = {0, 0}) {
  nnom::TransposeConv2D op;
  op.kernel = kernel, op.stride = stride, op.pad = pad, op.extra = extra, op.out.c = 4;
  return op;
}
Op resize(Size to) {
  nnom::Resize op;
  op.out = {to.h, to.w, 0};
  return op;
}
Op reshape(Shape to) {
  nnom::Reshape op;
  op.out = to;
  return op;
}
Op transpose(std::vector<int> order) {
  nnom::Transpose op;
  std::copy(order.begin(), order.end(), op.order);
  return op;
}

using Conv = nnom::Conv2D;
using Depthwise = nnom::DepthwiseConv2D;
using MaxPool = nnom::MaxPool2D;
using AveragePool = nnom::AveragePool2D;

std::vector<Case> cases() {
  return {
      {slide<Conv>({3, 2}), {{3, {5, 7, 2}}}, {3, {3, 6, 4}}},
      {slide<Conv>({3, 2}, {2, 3}), {{3, {6, 7, 2}}}, {3, {2, 2, 4}}},
      {slide<Conv>({3, 2}, {1, 1}, {1, 2, 3, 4}), {{3, {5, 7, 2}}}, {3, {7, 12, 4}}},
      {slide<Conv>({3, 2}, {1, 1}, {}, {2, 3}), {{3, {5, 7, 2}}}, {3, {1, 4, 4}}},
      {slide<Conv>({1, 3}), {{2, {7, 2}}}, {2, {5, 4}}},
      {slide<Conv>({1, 1}), {{1, {2}}}, {1, {4}}},
      {slide<Conv>({1, 1}, {1, 1}, {}, {1, 1}, 6, 3), {{3, {2, 2, 9}}}, {3, {2, 2, 6}}},
      {slide<Conv>({6, 1}), {{3, {5, 7, 2}}}, {}, "larger than the input"},
      {slide<Conv>({2, 2}, {1, 1}, {}, {1, 7}), {{3, {5, 7, 2}}}, {}, "larger than the input"},
      {slide<Conv>({0, 1}), {{3, {5, 7, 2}}}, {}, "must be positive"},
      {slide<Conv>({1, 1}, {0, 1}), {{3, {5, 7, 2}}}, {}, "must be positive"},
      {slide<Conv>({1, 1}, {1, 1}, {}, {1, 0}), {{3, {5, 7, 2}}}, {}, "must be positive"},
      {slide<Conv>({1, 1}, {1, 1}, {}, {1, 1}, 4, 0), {{3, {5, 7, 2}}}, {}, "multiples of groups"},
      {slide<Conv>({1, 1}, {1, 1}, {}, {1, 1}, 4, 2), {{3, {5, 7, 3}}}, {}, "multiples of groups"},
      {slide<Conv>({1, 1}, {1, 1}, {}, {1, 1}, 3, 2), {{3, {5, 7, 2}}}, {}, "multiples of groups"},
      {slide<Conv>({1, 1}), {{4, {2, 5, 7, 2}}}, {}, "1 to 3 axes"},
      {slide<Depthwise>({3, 3}, {2, 2}, {0, 0, 1, 1}), {{3, {6, 6, 5}}}, {3, {3, 3, 5}}},
      {slide<Depthwise>({7, 1}), {{3, {6, 6, 5}}}, {}, "larger than the input"},
      {slide<MaxPool>({2, 2}, {2, 2}), {{3, {5, 6, 3}}}, {3, {2, 3, 3}}},
      {slide<MaxPool>({2, 2}, {2, 2}, {0, 0, 1, 0}), {{3, {5, 6, 3}}}, {3, {3, 3, 3}}},
      {slide<MaxPool>({1, 2}, {1, 2}), {{2, {6, 3}}}, {2, {3, 3}}},
      {slide<MaxPool>({2, 2}, {2, 2}, {2, 0, 0, 0}), {{3, {5, 6, 3}}}, {}, "in the border alone"},
      {slide<AveragePool>({2, 2}, {2, 2}, {0, 0, 0, 2}), {{3, {5, 6, 3}}}, {}, "border alone"},
      {slide<AveragePool>({2, 2}, {1, 1}, {}, {2, 1}), {{3, {5, 6, 3}}}, {3, {3, 5, 3}}},
      {slide<MaxPool>({2, 2}, {1, 1}, {1, 1, 1, 1}, {3, 3}), {{3, {2, 2, 3}}}, {}, "border alone"},
      {dense(5), {{1, {8}}}, {1, {5}}},
      {dense(5), {{3, {1, 1, 8}}}, {3, {1, 1, 5}}},
      {dense(5), {{2, {2, 8}}}, {}, "one axis"},
      {mean({0, 1}), {{3, {4, 5, 6}}}, {1, {6}}},
      {mean({0, 1}, true), {{3, {4, 5, 6}}}, {3, {1, 1, 6}}},
      {mean({1, 3}), {{4, {2, 4, 5, 6}}}, {2, {2, 5}}},
      {mean({0}), {{1, {4}}}, {}},
      {mean({2}), {{2, {4, 5}}}, {}, "an axis its input does not have"},
      {nnom::Add{}, {{2, {4, 5}}, {2, {4, 5}}}, {2, {4, 5}}},
      {nnom::Add{}, {{2, {4, 5}}, {2, {1, 5}}}, {2, {4, 5}}},
      {nnom::Add{}, {{3, {4, 1, 3}}, {2, {5, 1}}}, {3, {4, 5, 3}}},
      {nnom::Add{}, {{2, {4, 5}}, {2, {2, 5}}}, {}, "can't be broadcast"},
      {nnom::Add{}, {{2, {4, 5}}}, {}, "an input for each operand"},
      {add_constant(1, {1, {5}}), {{2, {4, 5}}}, {2, {4, 5}}},
      {add_constant(0, {3, {3, 1, 1}}), {{2, {4, 5}}}, {3, {3, 4, 5}}},
      {add_constant(0, {1, {5}}), {{1, {5}}, {1, {5}}}, {}, "an input for each operand"},
      {nnom::Select{}, {{1, {3}}, {2, {2, 1}}, {}}, {2, {2, 3}}},
      {matmul(false, false), {{3, {2, 4, 5}}, {2, {5, 3}}}, {3, {2, 4, 3}}},
      {matmul(true, true), {{2, {5, 4}}, {3, {2, 3, 5}}}, {3, {2, 4, 3}}},
      {matmul(false, true), {{2, {5, 4}}, {2, {5, 4}}}, {2, {5, 5}}},
      {matmul(false, false), {{2, {5, 4}}, {2, {5, 4}}}, {}, "do not fit"},
      {matmul(false, false), {{2, {5, 4}}, {1, {4}}}, {}, "at least two axes"},
      {transpose_conv({3, 2}, {2, 2}), {{3, {4, 5, 3}}}, {3, {9, 10, 4}}},
      {transpose_conv({3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 0}), {{3, {4, 5, 3}}}, {3, {8, 9, 4}}},
      {transpose_conv({1, 3}, {1, 2}), {{2, {5, 3}}}, {2, {11, 4}}},
      {transpose_conv({3, 3}, {2, 2}, {3, 0, 0, 0}),
       {{3, {4, 5, 3}}},
       {},
       "smaller than its kernel"},
      {transpose_conv({3, 3}, {1, 1}, {2, 0, 2, 0}), {{3, {2, 5, 3}}}, {}, "nothing is left"},
      {slice({1, 4}, {1, -2}, {2, {3, 3}}), {{2, {4, 5}}}, {2, {3, 3}}},
      {slice({1, 0}, {1, 1}, {2, {4, 5}}), {{2, {4, 5}}}, {}, "beyond its input"},
      {slice({0, 1}, {1, -1}, {2, {4, 3}}), {{2, {4, 5}}}, {}, "beyond its input"},
      {slice({0}, {1}, {1, {4}}), {{2, {4, 5}}}, {}, "the number of axes"},
      {gather(1, {1, {3}}), {{3, {4, 5, 6}}}, {3, {4, 3, 6}}},
      {gather(-1, {}), {{3, {4, 5, 6}}}, {2, {4, 5}}},
      {gather(0, {2, {2, 3}}), {{2, {4, 5}}}, {3, {2, 3, 5}}},
      {gather(2, {}), {{2, {4, 5}}}, {}, "not one of the input's"},
      {concat(-1), {{2, {4, 5}}, {2, {4, 1}}, {2, {4, 2}}}, {2, {4, 8}}},
      {concat(0), {{3, {1, 2, 3}}, {3, {4, 2, 3}}}, {3, {5, 2, 3}}},
      {concat(1), {{2, {4, 5}}}, {2, {4, 5}}},
      {concat(0), {{2, {4, 5}}, {2, {4, 6}}}, {}, "differ in an axis other"},
      {concat(0), {{2, {4, 5}}, {1, {4}}}, {}, "differ in an axis other"},
      {concat(2), {{2, {4, 5}}}, {}, "axis is not one"},
      {concat(-3), {{2, {4, 5}}}, {}, "axis is not one"},
      {activation(), {{3, {1, 2, 3}}}, {3, {1, 2, 3}}},
      {nnom::Softmax{}, {{2, {4, 5}}}, {2, {4, 5}}},
      {pad({1, 2}, {3, 4}), {{3, {5, 6, 7}}}, {3, {9, 12, 7}}},
      {pad({0, 2}, {0, 4}), {{2, {6, 7}}}, {2, {6, 13}}},
      {pad({0, 2}, {0, 4}), {{1, {7}}}, {}, "an axis its input does not have"},
      {pad({-1}, {0}), {{1, {7}}}, {}, "must not be negative"},
      {pad({2}, {1}, nnom::Beyond::reflect), {{1, {3}}}, {1, {6}}},
      {pad({3}, {1}, nnom::Beyond::reflect), {{1, {3}}}, {}, "smaller than what it reflects"},
      {pad({3}, {1}, nnom::Beyond::symmetric), {{1, {3}}}, {1, {7}}},
      {pad({4}, {1}, nnom::Beyond::symmetric), {{1, {3}}}, {}, "not be larger than"},
      {pad({4}, {1}, nnom::Beyond::edge), {{1, {3}}}, {1, {8}}},
      {slide<Conv>({1, 1}, {1, 1}, {0, 0, 1, 0}), {{2, {6, 7}}}, {}, "an axis its input does not"},
      {slide<Conv>({1, 1}, {1, 1}, {0, 1, 0, 0}), {{1, {7}}}, {}, "an axis its input does not"},
      {slide<Depthwise>({2, 1}, {1, 1}, {1, 0, 0, 0}), {{2, {6, 7}}}, {2, {6, 7}}},
      {resize({7, 9}), {{3, {5, 6, 3}}}, {3, {7, 9, 3}}},
      {resize({1, 9}), {{2, {6, 3}}}, {2, {9, 3}}},
      {resize({2, 9}), {{2, {6, 3}}}, {}, "an axis its input does not have"},
      {resize({0, 9}), {{3, {5, 6, 3}}}, {}, "empty"},
      {reshape({2, {3, 8}}), {{3, {2, 3, 4}}}, {2, {3, 8}}},
      {reshape({2, {3, 7}}), {{3, {2, 3, 4}}}, {}, "another number of elements"},
      {transpose({2, 0, 1}), {{3, {4, 5, 6}}}, {3, {6, 4, 5}}},
      {transpose({1, 1, 0}), {{3, {4, 5, 6}}}, {}, "twice"},
      {transpose({0, 1, 3}), {{3, {4, 5, 6}}}, {}, "an axis there is not"},
  };
}

TEST(ShapeRules, GiveAShapeOrSayWhyNot) {
  for (Case& c : cases()) {
    const std::string before = std::string(info(c.op).name) + " " + info(c.op).op_text(c.op);
    const auto count = static_cast<int>(c.inputs.size());
    const nnom::Inferred got = info(c.op).infer(c.op, c.inputs.data(), count);
    SCOPED_TRACE(before + " on " + to_string(c.inputs[0]));
    if (c.error.empty()) {
      EXPECT_EQ(got.error, nullptr) << got.error;
      EXPECT_EQ(to_string(got.out), to_string(c.output));
      // Asked again, as after a rewrite, it gives the same.
      EXPECT_EQ(info(c.op).infer(c.op, c.inputs.data(), count).out, got.out);
    } else {
      ASSERT_NE(got.error, nullptr) << to_string(got.out);
      EXPECT_NE(std::string(got.error).find(c.error), std::string::npos) << got.error;
    }
  }
}

}  // namespace
}  // namespace nnomc
