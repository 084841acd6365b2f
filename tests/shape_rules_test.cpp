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
Op mean(int rank) { return nnom::Mean{.in = {}, .rank = rank}; }
Op concat(int axis) {
  nnom::Concat op;
  op.axis = axis;
  return op;
}
Op pad(Border border) {
  nnom::Pad op;
  op.pad = border;
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
      {slide<MaxPool>({2, 2}, {2, 2}, {2, 0, 0, 0}),
       {{3, {5, 6, 3}}},
       {},
       "border must be smaller"},
      {slide<AveragePool>({2, 2}, {2, 2}, {0, 0, 0, 2}), {{3, {5, 6, 3}}}, {}, "border must be"},
      {slide<AveragePool>({2, 2}, {1, 1}, {}, {2, 1}), {{3, {5, 6, 3}}}, {}, "dilation"},
      {dense(5), {{1, {8}}}, {1, {5}}},
      {dense(5), {{3, {1, 1, 8}}}, {3, {1, 1, 5}}},
      {dense(5), {{2, {2, 8}}}, {}, "one axis"},
      {mean(1), {{3, {4, 5, 6}}}, {1, {6}}},
      {mean(3), {{3, {4, 5, 6}}}, {3, {1, 1, 6}}},
      {mean(1), {{4, {2, 4, 5, 6}}}, {}, "1 to 3 axes"},
      {nnom::Add{}, {{2, {4, 5}}, {2, {4, 5}}}, {2, {4, 5}}},
      {nnom::Add{}, {{2, {4, 5}}, {2, {1, 5}}}, {}, "differ in shape"},
      {concat(-1), {{2, {4, 5}}, {2, {4, 1}}, {2, {4, 2}}}, {2, {4, 8}}},
      {concat(0), {{3, {1, 2, 3}}, {3, {4, 2, 3}}}, {3, {5, 2, 3}}},
      {concat(1), {{2, {4, 5}}}, {2, {4, 5}}},
      {concat(0), {{2, {4, 5}}, {2, {4, 6}}}, {}, "differ in an axis other"},
      {concat(0), {{2, {4, 5}}, {1, {4}}}, {}, "differ in an axis other"},
      {concat(2), {{2, {4, 5}}}, {}, "axis is not one"},
      {concat(-3), {{2, {4, 5}}}, {}, "axis is not one"},
      {activation(), {{3, {1, 2, 3}}}, {3, {1, 2, 3}}},
      {nnom::Softmax{}, {{2, {4, 5}}}, {2, {4, 5}}},
      {pad({1, 2, 3, 4}), {{3, {5, 6, 7}}}, {3, {9, 12, 7}}},
      {pad({0, 2, 0, 4}), {{2, {6, 7}}}, {2, {12, 7}}},
      {pad({0, 2, 0, 4}), {{1, {7}}}, {}, "2 or 3 axes"},
      {pad({1, 0, 0, 0}), {{2, {6, 7}}}, {}, "an axis its input does not have"},
      {slide<Conv>({1, 1}, {1, 1}, {0, 0, 1, 0}), {{2, {6, 7}}}, {}, "an axis its input does not"},
      {slide<Conv>({1, 1}, {1, 1}, {0, 1, 0, 0}), {{1, {7}}}, {}, "an axis its input does not"},
      {slide<Depthwise>({2, 1}, {1, 1}, {1, 0, 0, 0}), {{2, {6, 7}}}, {2, {6, 7}}},
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
