/// \file
/// The list of layers. Adding one is a header in ops/ and a name here.
#pragma once

#include "nnom/ops/activation.hpp"
#include "nnom/ops/arg_max.hpp"
#include "nnom/ops/arithmetic.hpp"
#include "nnom/ops/choose.hpp"
#include "nnom/ops/concat.hpp"
#include "nnom/ops/constant.hpp"
#include "nnom/ops/conv2d.hpp"
#include "nnom/ops/dense.hpp"
#include "nnom/ops/depthwise_conv2d.hpp"
#include "nnom/ops/embedding.hpp"
#include "nnom/ops/lambda.hpp"
#include "nnom/ops/lstm.hpp"
#include "nnom/ops/matmul.hpp"
#include "nnom/ops/pad.hpp"
#include "nnom/ops/pool2d.hpp"
#include "nnom/ops/recurrent_layer.hpp"
#include "nnom/ops/reduce.hpp"
#include "nnom/ops/resize.hpp"
#include "nnom/ops/shapes.hpp"
#include "nnom/ops/softmax.hpp"
#include "nnom/ops/svdf.hpp"
#include "nnom/ops/transpose_conv2d.hpp"

namespace nnom {

/// Ops<std::variant> is what a node of the compiler's graph holds.
template <template <class...> class List>
using Ops = List<Conv2D, DepthwiseConv2D, TransposeConv2D, Dense, MatMul,                   //
                 MaxPool2D, AveragePool2D, SumPool2D, DynamicSumPool2D,                     //
                 Sum, Mean, ReduceMax, ReduceMin, Product,                                  //
                 Add, Mul, Div, SquaredDifference, Power,                                   //
                 Maximum, Minimum, Select, Compare, PRelu, Activation, Softmax,             //
                 Concat, Pad, Reshape, Transpose, Slice, Gather, Resize, ArgMax, Constant,  //
                 Embedding, RnnLayer, GruLayer, LstmLayer, Lstm, Svdf, Lambda>;

}  // namespace nnom
