#include "compiler/import/onnx_ops.hpp"

#include <algorithm>
#include <iterator>

namespace nnomc::onnx {
namespace {

using nnom::Function;

constexpr OpRow kOps[] = {
    {"Add", add, kElementwise},
    {"AveragePool", average_pool, kPicture},
    {"BatchNormalization", batch_normalization, kPicture},
    {"Cast", cast, kFolds | kIntegers | kElementwise},
    {"Clip", clip, kElementwise},
    {"Concat", concat, kFolds | kIntegers | kElementwise},
    {"Constant", constant, kFolds},
    {"ConstantOfShape", constant_of_shape, kFolds},
    {"Conv", conv, kPicture},
    {"Div", divide, kElementwise},
    {"Dropout", dropout, kFolds | kElementwise},
    {"Elu", elu, kElementwise},
    {"Exp", activation<Function::exponential>, kElementwise},
    {"Flatten", flatten, kFolds | kIntegers},
    {"Gelu", gelu, kElementwise},
    {"Gemm", gemm},
    {"GlobalAveragePool", global_average_pool, kPicture},
    {"GlobalMaxPool", global_max_pool, kPicture},
    {"HardSigmoid", hard_sigmoid, kElementwise},
    {"HardSwish", hard_swish, kElementwise},
    {"Identity", identity, kFolds | kIntegers | kElementwise},
    {"LeakyRelu", leaky_relu, kElementwise},
    {"Log", activation<Function::log>, kElementwise},
    {"LogSoftmax", log_softmax},
    {"MatMul", matmul},
    {"MaxPool", max_pool, kPicture},
    {"Mish", activation<Function::mish>, kElementwise},
    {"Mul", multiply, kElementwise},
    {"Neg", negate, kElementwise},
    {"Range", range, kFolds},
    {"Relu", activation<Function::relu>, kElementwise},
    {"Reshape", reshape, kFolds | kIntegers},
    {"Selu", activation<Function::selu>, kElementwise},
    {"Shape", shape, kFolds | kIntegers},
    {"Sigmoid", activation<Function::sigmoid>, kElementwise},
    {"Size", size, kFolds | kIntegers},
    {"Softmax", softmax},
    {"Softplus", activation<Function::softplus>, kElementwise},
    {"Softsign", activation<Function::softsign>, kElementwise},
    {"Squeeze", squeeze, kFolds | kIntegers},
    {"Sub", subtract, kElementwise},
    {"Sum", sum, kElementwise},
    {"Tanh", activation<Function::tanh>, kElementwise},
    {"Transpose", transpose, kFolds | kIntegers},
    {"Unsqueeze", unsqueeze, kFolds | kIntegers},
};

}  // namespace

const OpRow* find_op(std::string_view op_type) {
  const auto row = std::find_if(std::begin(kOps), std::end(kOps),
                                [&](const OpRow& r) { return r.op_type == op_type; });
  return row == std::end(kOps) ? nullptr : row;
}

}  // namespace nnomc::onnx
