// The table of operators: their numbers are TensorFlow Lite's.
#include "compiler/import/tflite_operators.hpp"

#include <algorithm>

namespace nnomc::tflite {
namespace {

using nnom::Function;
using nnom::Relation;

constexpr Row kRows[] = {
    {0, "ADD", arithmetic<nnom::Add>},
    {1, "AVERAGE_POOL_2D", average_pool_2d},
    {2, "CONCATENATION", concatenation},
    {3, "CONV_2D", conv_2d},
    {4, "DEPTHWISE_CONV_2D", depthwise_conv_2d},
    {5, "DEPTH_TO_SPACE", depth_to_space},
    {6, "DEQUANTIZE", dequantize},
    {8, "FLOOR", unary<Function::floor>},
    {9, "FULLY_CONNECTED", fully_connected},
    {14, "LOGISTIC", unary<Function::sigmoid>},
    {17, "MAX_POOL_2D", max_pool_2d},
    {18, "MUL", arithmetic<nnom::Mul>},
    {19, "RELU", unary<Function::relu>},
    {20, "RELU_N1_TO_1", relu_n1_to_1},
    {21, "RELU6", relu_6},
    {22, "RESHAPE", reshape},
    {23, "RESIZE_BILINEAR", resize_bilinear},
    {25, "SOFTMAX", softmax},
    {26, "SPACE_TO_DEPTH", space_to_depth},
    {28, "TANH", unary<Function::tanh>},
    {34, "PAD", pad},
    {36, "GATHER", gather},
    {37, "BATCH_TO_SPACE_ND", batch_to_space_nd},
    {38, "SPACE_TO_BATCH_ND", space_to_batch_nd},
    {39, "TRANSPOSE", transpose},
    {40, "MEAN", reduce<nnom::Mean>},
    {41, "SUB", sub},
    {42, "DIV", arithmetic<nnom::Div>},
    {43, "SQUEEZE", reshape},
    {45, "STRIDED_SLICE", strided_slice},
    {47, "EXP", unary<Function::exponential>},
    {49, "SPLIT", split},
    {50, "LOG_SOFTMAX", log_softmax},
    {53, "CAST", cast},
    {54, "PRELU", binary<nnom::PRelu>},
    {55, "MAXIMUM", binary<nnom::Maximum>},
    {57, "MINIMUM", binary<nnom::Minimum>},
    {58, "LESS", compare<Relation::less>},
    {59, "NEG", unary<Function::negative>},
    {60, "PADV2", pad_v2},
    {61, "GREATER", compare<Relation::greater>},
    {62, "GREATER_EQUAL", compare<Relation::greater_equal>},
    {63, "LESS_EQUAL", compare<Relation::less_equal>},
    {64, "SELECT", binary<nnom::Select>},
    {65, "SLICE", slice},
    {66, "SIN", unary<Function::sin>},
    {67, "TRANSPOSE_CONV", transpose_conv},
    {69, "TILE", tile},
    {70, "EXPAND_DIMS", reshape},
    {71, "EQUAL", compare<Relation::equal>},
    {72, "NOT_EQUAL", compare<Relation::not_equal>},
    {73, "LOG", unary<Function::log>},
    {74, "SUM", reduce<nnom::Sum>},
    {75, "SQRT", unary<Function::sqrt>},
    {76, "RSQRT", unary<Function::rsqrt>},
    {77, "SHAPE", shape},
    {78, "POW", binary<nnom::Power>},
    {81, "REDUCE_PROD", reduce<nnom::Product>},
    {82, "REDUCE_MAX", reduce<nnom::ReduceMax>},
    {83, "PACK", pack},
    {84, "LOGICAL_OR", binary<nnom::Maximum>},
    {86, "LOGICAL_AND", binary<nnom::Minimum>},
    {87, "LOGICAL_NOT", unary<Function::logical_not>},
    {88, "UNPACK", unpack},
    {89, "REDUCE_MIN", reduce<nnom::ReduceMin>},
    {92, "SQUARE", unary<Function::square>},
    {97, "RESIZE_NEAREST_NEIGHBOR", resize_nearest_neighbor},
    {98, "LEAKY_RELU", leaky_relu},
    {99, "SQUARED_DIFFERENCE", binary<nnom::SquaredDifference>},
    {100, "MIRROR_PAD", mirror_pad},
    {101, "ABS", unary<Function::abs>},
    {102, "SPLIT_V", split_v},
    {104, "CEIL", unary<Function::ceil>},
    {105, "REVERSE_V2", reverse_v2},
    {108, "COS", unary<Function::cos>},
    {111, "ELU", elu},
    {114, "QUANTIZE", quantize},
    {116, "ROUND", unary<Function::round>},
    {117, "HARD_SWISH", hard_swish},
    {123, "SELECT_V2", binary<nnom::Select>},
    {126, "BATCH_MATMUL", batch_matmul},
    {150, "GELU", gelu},
    {152, "RELU_0_TO_1", relu_0_to_1},
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
