// What must not compile: every mistake in a model made by hand is an error that names the layer.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/compile.hpp"

namespace nnomc {
namespace {

struct Mistake {
  const char* name;   ///< of the model
  const char* model;  ///< the calls that build it
  const char* error;
};

// w is 18 weights, b 2 biases, x an input of {6, 6, 1}, line one of {10}, steps one of {8, 3}, pair
// one of {2}.
const std::vector<Mistake> kMistakes = {
    {"conv2d_large", "m.add(x, 'c', conv2d(2, {.kernel = {9, 9}}, w, b, r))",
     "layer 'c' (Conv2D): the kernel is larger than the input"},
    {"conv2d_weights", "m.add(x, 'c', conv2d(2, {.kernel = {2, 3}}, w, b, r))",
     "layer 'c' (Conv2D): it takes 12 weights, not 18"},
    {"conv2d_biases", "m.add(x, 'c', conv2d(2, {.kernel = {3, 3}}, w, w, r))",
     "layer 'c' (Conv2D): it takes 2 biases, not 18"},
    {"conv2d_scales", "m.add(x, 'c', conv2d(2, {.kernel = {3, 3}}, {q, w}, b, r))",
     "layer 'c' (Conv2D): it takes 2 scales of weights, not 18"},
    {"conv2d_groups", "m.add(x, 'c', conv2d(2, {.kernel = {3, 3}, .groups = 2}, w, b, r))",
     "layer 'c' (Conv2D): input channels and filters must be multiples of groups"},
    {"conv2d_stride", "m.add(x, 'c', conv2d(2, {.kernel = {3, 3}, .stride = {0, 1}}, w, b, r))",
     "layer 'c' (Conv2D): strides and dilation must be positive"},
    {"conv2d_rank", "m.add(line, 'c', conv2d(2, {.kernel = {3, 3}}, w, b, r))",
     "layer 'c' (Conv2D): its input must be {height, width, channels}"},
    {"conv2d_range", "m.add(x, 'c', conv2d(2, {.kernel = {3, 3}}, w, b))",
     "layer 'c' (int8): the range of its values is not known"},
    {"conv2d_bias", "m.add(x, 'c', conv2d(2, {.kernel = {3, 3}}, {q, tiny}, b, r))",
     "layer 'c' (Conv2D): its sums don't fit 32 bits"},
    {"conv1d_rank", "m.add(x, 'c', conv1d(2, {.kernel = 3}, w, b, r))",
     "layer 'c' (Conv2D): its input must be {steps, channels}"},
    {"dw_conv2d_weights", "m.add(x, 'd', dw_conv2d({.kernel = {3, 3}}, w, b, r))",
     "layer 'd' (DepthwiseConv2D): it takes 9 weights, not 18"},
    {"dw_conv1d_rank", "m.add(x, 'd', dw_conv1d({.kernel = 3}, w, b, r))",
     "layer 'd' (DepthwiseConv2D): its input must be {steps, channels}"},
    {"conv2d_trans_rank", "m.add(line, 't', conv2d_trans(2, {.kernel = {3, 3}}, w, b, r))",
     "layer 't' (TransposeConv2D): its input must be {height, width, channels}"},
    {"conv2d_trans_weights", "m.add(x, 't', conv2d_trans(2, {.kernel = {2, 2}}, w, b, r))",
     "layer 't' (TransposeConv2D): it takes 8 weights, not 18"},
    {"conv2d_trans_causal",
     "m.add(x, 't', conv2d_trans(2, {.kernel = {3, 3}, .padding = causal}, w, b, r))",
     "layer 't' (TransposeConv2D): it can't be causal"},
    {"dense_rank", "m.add(x, 'f', dense(2, w, b, r))",
     "layer 'f' (Dense): its input must have one axis besides the batch"},
    {"dense_weights", "m.add(line, 'f', dense(2, w, b, r))",
     "layer 'f' (Dense): it takes 20 weights, not 18"},
    {"dense_range", "m.add(line, 'f', dense(2, w20, b))",
     "layer 'f' (int8): the range of its values is not known"},
    {"batch_norm_channels", "m.add(steps, 'n', batch_norm(normal, r))",
     "layer 'n' (DepthwiseConv2D): it takes 3 weights, not 2"},
    {"batch_norm_range", "m.add(pair, 'n', batch_norm(normal))",
     "layer 'n' (int8): the range of its values is not known"},
    {"max_pool_large", "m.add(x, 'p', max_pool({7, 1}))",
     "layer 'p' (MaxPool2D): the kernel is larger than the input"},
    {"max_pool_rank", "m.add(steps, 'p', max_pool({2, 2}))",
     "layer 'p' (MaxPool2D): its input must be {height, width, channels}"},
    {"max_pool1d_rank", "m.add(x, 'p', max_pool1d(2))",
     "layer 'p' (MaxPool2D): its input must be {steps, channels}"},
    {"sum_pool1d_rank", "m.add(x, 'p', sum_pool1d(2))",
     "layer 'p' (SumPool2D): its input must be {steps, channels}"},
    {"avg_pool_empty", "m.add(x, 'p', avg_pool({0, 2}))",
     "layer 'p' (AveragePool2D): strides and dilation must be positive"},
    {"avg_pool1d_rank", "m.add(x, 'p', avg_pool1d(2))",
     "layer 'p' (AveragePool2D): its input must be {steps, channels}"},
    {"sum_pool_large", "m.add(x, 'p', sum_pool({7, 1}))",
     "layer 'p' (SumPool2D): the kernel is larger than the input"},
    {"dynamic_sum_rank", "m.add(line, 'p', dynamic_sum_pool({2, 2}))",
     "layer 'p' (DynamicSumPool2D): its input must be {height, width, channels}"},
    {"dynamic_sum_read", "m.output(m.hook('r', relu(), m.hook('p', dynamic_sum_pool({2, 2}), x)))",
     "layer 'r' (Activation): only the application knows the scale of its input"},
    {"global_sum_rank", "m.add(line, 'g', global_sum_pool())",
     "layer 'g' (Sum): its input must have an axis besides the channels"},
    {"lambda_empty", "m.add(x, 'own', lambda<own>({0, 3}, r))",
     "layer 'own' (Lambda): its output is empty"},
    {"lambda_inputs", "m.output(m.hook('own', lambda<own>({3}, r), x, x))",
     "layer 'own' (Lambda): its function takes no such number of inputs"},
    {"lambda_range", "m.add(x, 'own', lambda<own>({3}))",
     "layer 'own' (int8): the range of its values is not known"},
    {"global_max_rank", "m.add(line, 'g', global_max_pool())",
     "layer 'g' (ReduceMax): its input must have an axis besides the channels"},
    {"global_avg_rank", "m.add(line, 'g', global_avg_pool())",
     "layer 'g' (Mean): its input must have an axis besides the channels"},
    {"zero_padding_rank", "m.add(line, 'z', zero_padding({1, 1, 1, 1}))",
     "layer 'z' (Pad): it adds a border along an axis its input does not have"},
    {"zero_padding_negative", "m.add(x, 'z', zero_padding({-1, 1, 1, 1}))",
     "layer 'z' (Pad): its border must not be negative"},
    {"cropping_all", "m.add(x, 'k', cropping({3, 0, 3, 0}))",
     "layer 'k' (Slice): nothing is left of its input"},
    {"cropping_negative", "m.add(x, 'k', cropping({-1, 0, 0, 0}))",
     "layer 'k' (Slice): what it crops must not be negative"},
    {"cropping_rank", "m.add(steps, 'k', cropping({1, 0, 0, 0}))",
     "layer 'k' (Slice): its input must be {height, width, channels}"},
    {"up_sample_rank", "m.add(line, 'u', up_sample({2, 2}))",
     "layer 'u' (Resize): its input must be {height, width, channels}"},
    {"up_sample_none", "m.add(x, 'u', up_sample({0, 2}))",
     "layer 'u' (Resize): its size must be positive"},
    {"reshape_size", "m.add(x, 'r', reshape({5, 7}))",
     "layer 'r' (Reshape): its input has another number of elements"},
    {"permute_twice", "m.add(x, 'p', permute({0, 0, 1}))",
     "layer 'p' (Transpose): its order names an axis twice"},
    {"permute_none", "m.add(steps, 'p', permute({0, 2}))",
     "layer 'p' (Transpose): its order names an axis there is not"},
    {"prelu_shape", "m.add(steps, 'p', prelu({2}, b))",
     "layer 'p' (PRelu): the shapes of its inputs can't be broadcast to one"},
    {"prelu_slopes", "m.add(steps, 'p', prelu({3}, b))",
     "layer 'p' (PRelu): it takes 3 weights, not 2"},
    {"active_nothing", "m.active(relu(), nnom::Tensor{}); m.output(x)",
     "layer 'active' (Activation): one of its inputs is no tensor"},
    {"add_shapes", "m.merge('s', add(), x, steps); m.output()",
     "layer 's' (Add): the shapes of its inputs can't be broadcast to one"},
    {"sub_shapes", "m.merge('s', sub(), x, steps); m.output()", "layer 's' (Add): the shapes"},
    {"mult_shapes", "m.merge('s', mult(), x, steps); m.output()", "layer 's' (Mul): the shapes"},
    {"maximum_shapes", "m.merge('s', maximum(), x, steps); m.output()",
     "layer 's' (Maximum): the shapes"},
    {"minimum_shapes", "m.merge('s', minimum(), x, steps); m.output()",
     "layer 's' (Minimum): the shapes"},
    {"average_shapes", "m.merge('s', average(), x, x, steps); m.output()",
     "layer 's' (Add): the shapes"},
    {"add_one", "m.merge('s', add(), x); m.output()",
     "layer 's' (Add): it takes an input for each operand that is not a constant"},
    {"concat_shapes", "m.merge('j', concat(), x, steps); m.output()",
     "layer 'j' (Concat): its inputs differ in an axis other than the one they are joined along"},
    {"concat_axis", "m.merge('j', concat(3), x, x); m.output()",
     "layer 'j' (Concat): its axis is not one of the input's"},
    {"concat_nine", "m.merge('j', concat(), x, x, x, x, x, x, x, x, x); m.output()",
     "layer 'j' (Concat): it has too many inputs"},
    {"rnn_rank", "m.add(line, 'n', simple_rnn(2, w, b))",
     "layer 'n' (RnnLayer): its input must have a time axis and features"},
    {"gru_rank", "m.add(line, 'n', gru(2, w, b))",
     "layer 'n' (GruLayer): its input must have a time axis and features"},
    {"lstm_rank", "m.add(line, 'n', lstm(2, w, b))",
     "layer 'n' (LstmLayer): its input must have a time axis and features"},
    {"rnn_weights", "m.add(steps, 'n', simple_rnn(2, w, b))",
     "layer 'n' (RnnLayer): it takes 6 weights, not 18"},
    {"gru_recurrent", "m.add(steps, 'n', gru(2, w, b))",
     "layer 'n' (GruLayer): it takes 12 recurrent weights, not 2"},
    {"lstm_biases", "m.add(steps, 'n', lstm(1, w12, w4, b))",
     "layer 'n' (LstmLayer): it takes 4 biases, not 2"},
    {"lstm_units", "m.add(steps, 'n', lstm(0, w, b))",
     "layer 'n' (LstmLayer): its number of units makes no sense"},
    {"input_empty", "m.input('e', {0, 3}, r); m.output()", "layer 'e' (input): it is empty"},
    {"input_range", "m.output(m.input('e', {3}))",
     "layer 'e' (int8): the range of its values is not known"},
    {"output_none", "m.hook('s', softmax(), x)",
     "layer 'output' (output): the model has none: call output() after the last layer"},
    {"given_type", "m.output(m.layer('s', nnom::Softmax{}, wide, r, x))",
     "layer 's' (Softmax): its data is for inputs of another type"},
    {"variable_shape",
     "auto v = m.variable('v', {6, 1}, r); m.keep(v, m.hook('f', flatten(), x));"
     "m.output(v)",
     "layer 'v' (variable): what it becomes has another shape"},
    {"variable_input", "m.keep(x, m.hook('f', flatten(), x)); m.output(x)",
     "layer 'keep' (variable): it takes a variable, and what a layer gave"},
};

/// The model's C++: 'name' stands for a string; m.add(input, ...) for a hook and the model's end.
std::string source_of(const Mistake& mistake) {
  std::string calls = mistake.model;
  for (char& c : calls)
    if (c == '\'') c = '"';
  if (calls.starts_with("m.add(")) {
    const size_t comma = calls.find(", ");
    const std::string input = calls.substr(6, comma - 6);
    calls = "m.output(m.hook(" + calls.substr(comma + 2, calls.size() - comma - 3) + ", " + input +
            "))";
  }
  return fmt::format(R"(
constexpr void {0}(nnom::Network& m) {{
  [[maybe_unused]] auto x = m.input("x", {{6, 6, 1}}, r), line = m.input("line", {{10}}, r),
                        steps = m.input("steps", {{8, 3}}, r), pair = m.input("pair", {{2}}, r);
  {1};
}}
template struct nnom::Graph<{0}>;
nnom::Model<nnom::Graph<{0}>> {0}_model;
)",
                     mistake.name, calls);
}

TEST(Build, AWrongModelDoesNotCompileAndTheMessageNamesTheLayer) {
  std::string source = R"(
#include "nnom/build.hpp"
using namespace nnom::layers;
constexpr auto r = nnom::range(-1, 1);
constexpr float w[18] = {1, 2, 3}, b[2] = {1, 2}, w20[20] = {1}, w12[12] = {1}, w4[4] = {1};
constexpr auto own = [](const auto& x, auto& y) { y.set(0, x[0]); };
constexpr nnom::Normalisation<2> normal{b, b, b, b};
constexpr int8_t q[18] = {1, 2, 3};
constexpr float tiny[2] = {1e-12f, 1e-12f};
constexpr nnom::Softmax::Data<nnom::Int16<nnom::Double, nnom::layout::Plain>> wide{};
)";
  for (const Mistake& mistake : kMistakes) source += source_of(mistake);
  const std::string said =
      complaint(source + "void run() {\n conv2d_bias_model.run();\n}\n",
                {"-std=c++20", "-fmax-errors=0", "-I" NNOM_SOURCE_DIR "/runtime"});
  for (const Mistake& mistake : kMistakes) {
    std::string error;  // as the compiler quotes it
    for (const char* c = mistake.error; *c; ++c) error += *c == '\'' ? "\\'" : std::string(1, *c);
    EXPECT_NE(said.find(error), std::string::npos) << mistake.name << ": " << mistake.error;
    EXPECT_NE(said.find(std::string("Graph<") + mistake.name + ">"), std::string::npos)
        << mistake.name << " compiles";
  }
}

/// A model without mistakes compiles without a word.
TEST(Build, ARightModelCompiles) {
  EXPECT_EQ(complaint(R"(
#include "nnom/build.hpp"
using namespace nnom::layers;
constexpr auto unit = nnom::range(-1, 1);
constexpr float filters[18] = {1, 2, 3}, offsets[2] = {1, 2};
constexpr void right(nnom::Network& m) {
  m.input("x", {6, 6, 1}, unit);
  m.add("c", conv2d(2, {.kernel = {3, 3}}, filters, offsets, unit));
  m.output();
}
nnom::Model<nnom::Graph<right>> model;
void run() { model.run(); }
)",
                      {"-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic",
                       "-Werror", "-fno-exceptions", "-fno-rtti", "-ffreestanding",
                       "-I" NNOM_SOURCE_DIR "/runtime"}),
            "");
}

}  // namespace
}  // namespace nnomc
