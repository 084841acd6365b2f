// The table of operators: their numbers are TensorFlow Lite's.
#include "compiler/import/tflite_operators.hpp"

#include <algorithm>

namespace nnomc::tflite {
namespace {

using nnom::Function;

constexpr Row kRows[] = {
    {0, "ADD", add},
    {1, "AVERAGE_POOL_2D", average_pool_2d},
    {2, "CONCATENATION", concatenation},
    {3, "CONV_2D", conv_2d},
    {4, "DEPTHWISE_CONV_2D", depthwise_conv_2d},
    {6, "DEQUANTIZE", dequantize},
    {9, "FULLY_CONNECTED", fully_connected},
    {14, "LOGISTIC", unary<Function::sigmoid>},
    {17, "MAX_POOL_2D", max_pool_2d},
    {19, "RELU", unary<Function::relu>},
    {21, "RELU6", relu_6},
    {22, "RESHAPE", reshape},
    {25, "SOFTMAX", softmax},
    {28, "TANH", unary<Function::tanh>},
    {34, "PAD", pad},
    {39, "TRANSPOSE", transpose},
    {40, "MEAN", mean},
    {43, "SQUEEZE", reshape},
    {47, "EXP", unary<Function::exponential>},
    {70, "EXPAND_DIMS", reshape},
    {73, "LOG", unary<Function::log>},
    {98, "LEAKY_RELU", leaky_relu},
    {111, "ELU", unary<Function::elu>},
    {114, "QUANTIZE", quantize},
};

}  // namespace

const Row* find_operator(int code) {
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows),
                                 [&](const Row& r) { return r.code == code; });
  return row == std::end(kRows) ? nullptr : row;
}

std::string operator_name(int code) {
  const Row* row = find_operator(code);
  return row ? row->name : "operator number " + std::to_string(code);
}

}  // namespace nnomc::tflite
