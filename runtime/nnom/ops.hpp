/// \file
/// The list of layers. Adding one is a header in ops/ and a name here.
#pragma once

#include "nnom/ops/activation.hpp"
#include "nnom/ops/add.hpp"
#include "nnom/ops/concat.hpp"
#include "nnom/ops/conv2d.hpp"
#include "nnom/ops/dense.hpp"
#include "nnom/ops/depthwise_conv2d.hpp"
#include "nnom/ops/mean.hpp"
#include "nnom/ops/pool2d.hpp"
#include "nnom/ops/shapes.hpp"
#include "nnom/ops/softmax.hpp"

namespace nnom {

/// Ops<std::variant> is what a node of the compiler's graph holds.
template <template <class...> class List>
using Ops = List<Conv2D, DepthwiseConv2D, Dense, MaxPool2D, AveragePool2D, Mean, Add, Concat,
                 Activation, Softmax, Pad, Reshape, Transpose>;

}  // namespace nnom
