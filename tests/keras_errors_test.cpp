/// \file
/// What the Keras importer says to models it can't import, whoever wrote them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/error.hpp"
#include "compiler/import/keras.hpp"
#include "keras_models.hpp"

namespace nnomc {
namespace {

struct BadLayer {
  const char* class_name;
  const char* fields;
  const char* input;
  const char* message;
};

TEST(KerasErrors, OfOneLayer) {
  const BadLayer cases[] = {
      {"Dense", "", "[null, 4]", "layer 'x' (Dense): 'units' is missing"},
      {"Dense", R"("units": "many")", "[null, 4]", "'units' should be a whole number, not 'many'"},
      {"Dense", R"("units": 2.5)", "[null, 4]", "'units' should be a whole number, not 2.5"},
      {"Dense", R"("units": -1)", "[null, 4]", "'units' is -1, but should be 1 to"},
      {"Dense", R"("units": 3)", "[null, 4]", "layer 'x' (Dense): its 'kernel' is not in the file"},
      {"Dense", R"("units": 3, "activation": "wobble")", "[null, 4]",
       "model.keras: a layer is not supported: 'x' (Dense, activation 'wobble')"},
      {"Dense", R"("units": 3, "activation": {"class_name": "PReLU", "config": {}})", "[null, 4]",
       "'x' (Dense, activation PReLU)"},
      {"Dense", R"("units": 3, "dtype": {"class_name": "QuantizedDTypePolicy"})", "[null, 4]",
       "quantised by Keras"},
      {"Conv2D", R"("filters": 3, "kernel_size": 3)", "[null, 4]", "its input should have 3 axes"},
      {"Conv2D", R"("filters": 3, "kernel_size": 0)", "[null, 4, 4, 1]", "'kernel_size' is 0"},
      {"Conv2D", R"("filters": 3, "kernel_size": [3, 3, 3])", "[null, 4, 4, 1]",
       "'kernel_size' should have 2 entries, not 3"},
      {"Conv2D", R"("filters": 3, "kernel_size": 3, "strides": [1, -2])", "[null, 4, 4, 1]",
       "'strides' is -2"},
      {"Conv2D", R"("filters": 3, "kernel_size": 3, "padding": "reflect")", "[null, 4, 4, 1]",
       "padding 'reflect' is not supported"},
      {"Conv2D", R"("filters": 3, "kernel_size": 3, "groups": 2)", "[null, 4, 4, 3]",
       "3 channels and 3 filters can't be split into 2 groups"},
      {"Conv2D", R"("filters": 16777216, "kernel_size": 32768)", "[null, 4, 4, 3]",
       "its 'kernel' is not in the file"},
      {"Conv2D", R"("filters": 3, "kernel_size": 3, "data_format": "channels_first")", "[null, 4]",
       "its input should have 3 axes"},
      {"Conv2DTranspose", R"("filters": 3, "kernel_size": 3, "padding": "causal")",
       "[null, 4, 4, 1]", "padding 'causal' is not supported"},
      {"Conv2DTranspose", R"("filters": 3, "kernel_size": 3, "output_padding": [1, 1, 1])",
       "[null, 4, 4, 1]", "'output_padding' should have 2 entries, not 3"},
      {"UpSampling2D", R"("interpolation": "bicubic")", "[null, 4, 4, 1]",
       "not supported: 'interpolation' bicubic"},
      {"UpSampling2D", R"("size": 32768)", "[null, 4, 4, 1]", "its output is too large"},
      {"Cropping2D", R"("cropping": 2)", "[null, 4, 4, 1]", "it crops 2 and 2 of 4"},
      {"Cropping1D", R"("cropping": [1, 2, 3])", "[null, 4, 4]", "'cropping' is [1, 2, 3]"},
      {"RepeatVector", R"("n": 0)", "[null, 4]", "'n' is 0"},
      {"Embedding", R"("input_dim": 257, "output_dim": 3)", "[null, 4]",
       "257 rows: an int8 input tells 256 apart"},
      {"Embedding", R"("input_dim": 7, "output_dim": 3, "mask_zero": true)", "[null, 4]",
       "'mask_zero'"},
      {"LayerNormalization", R"("axis": [1, 1])", "[null, 4]", "names no axis, or one twice"},
      {"GroupNormalization", R"("groups": 3)", "[null, 4]", "4 channels can't be split into 3"},
      {"GroupNormalization", R"("groups": 2, "axis": 1)", "[null, 4, 4]",
       "groups along an axis that isn't the last"},
      {"PReLU", R"("shared_axes": [3])", "[null, 4]", "'shared_axes'"},
      {"Activation", R"("activation": "glu")", "[null, 5]", "glu halves an axis of 5 entries"},
      {"Dot", R"("axes": 1)", "[null, 5]", "it should have two inputs, not 1"},
      {"Mean", R"("axis": null)", "[null, 5]", "which takes the batch along"},
      {"Masking", "", "[null, 4, 4]", "'x' (Masking, by which layers skip steps of time"},
      {"TimeDistributed", "", "[null, 4, 4]", "'layer' is missing"},
      {"TimeDistributed", R"("layer": {"class_name": "Flatten", "config": {"name": "f"}})",
       "[null, 4]", "layer 'x' (Flatten in TimeDistributed): its input has no axis of time"},
      {"TimeDistributed", R"("layer": {"class_name": "Conv3D", "config": {"name": "f"}})",
       "[null, 4, 4]", "a layer is not supported: 'f' (Conv3D)"},
      {"DepthwiseConv2D", R"("kernel_size": 3, "depth_multiplier": 100000000)", "[null, 4, 4, 3]",
       "'depth_multiplier' is 100000000"},
      {"MaxPooling2D", R"("pool_size": 32768, "strides": 32768)", "[null, 4, 4, 3]",
       "the kernel is larger than the input"},
      {"BatchNormalization", R"("axis": 0)", "[null, 4]", "axis of the batch"},
      {"BatchNormalization", R"("axis": 2)", "[null, 4]", "'axis' is 2"},
      {"BatchNormalization", R"("axis": [1, 2])", "[null, 4, 4]",
       "not supported yet: 'axis' [1, 2]"},
      {"Softmax", R"("axis": [1, 2])", "[null, 4, 4]", "not supported yet: 'axis' [1, 2]"},
      {"Reshape", R"("target_shape": [-1, -1])", "[null, 4]", "more than one size open"},
      {"Reshape", R"("target_shape": [3])", "[null, 4]", "another number of elements"},
      {"Reshape", R"("target_shape": [67108864, 67108864])", "[null, 4]", "doesn't fit its input"},
      {"Reshape", R"("target_shape": [])", "[null, 4]", "should have 1 to 6 entries"},
      {"Permute", R"("dims": [1, 1])", "[null, 4, 4]", "its order names an axis twice"},
      {"Permute", R"("dims": [1])", "[null, 4, 4]", "'dims' has 1 entries"},
      {"ZeroPadding2D", R"("padding": [[1, 2], [3]])", "[null, 4, 4, 1]", "'padding' is [3]"},
      {"ZeroPadding2D", R"("padding": 32768)", "[null, 4000, 4000, 4]", "too large"},
      {"Rescaling", R"("scale": [1, 2, 3])", "[null, 4]", "one for each of the 4 channels"},
      {"Rescaling", R"("scale": [[1, 2], [3]])", "[null, 2]", "of different lengths"},
      {"Rescaling", R"("scale": 1e300)", "[null, 2]", "too large for a float"},
      {"Normalization", R"("axis": -1)", "[null, 2]", "its 'mean' is not in the file"},
      {"Masking", "", "[null, 4, 4]",
       "a layer is not supported: 'x' (Masking, by which layers skip steps of time"},
      {"LSTM", R"("units": 3)", "[null, 4, 4]", "its 'kernel' is not in the file"},
      {"GRU", R"("units": 3)", "[null, 4]", "should be steps x features"},
      {"LSTM", R"("units": 3, "activation": "gelu")", "[null, 4, 4]", "activation 'gelu'"},
      {"LSTM", R"("units": 3, "time_major": true)", "[null, 4, 4]", "time_major"},
      {"RNN", "", "[null, 4, 4]", "'x' (RNN, with cells of its own)"},
      {"Bidirectional", "", "[null, 4, 4]", "'x' (Bidirectional, around another layer"},
      {"TimeDistributed", "", "[null, 4, 4]", "layer 'x' (TimeDistributed): 'layer' is missing"},
      {"Flatten", "", "[null, null, 4]", "Give the input a fixed shape"},
      {"Flatten", "", "[null]", "give it an axis"},
      {"Flatten", "", "[null, 0]", "is impossible"},
      {"Flatten", "", "[null, 65536, 65536]", "is too large"},
      {"Flatten", "", "[null, 99999999999999999999]", "not a list of sizes"},
      {"Flatten", "", "[null, 1, 1, 1, 1, 1, 1, 1]", "at most 6"},
      {"Flatten", "", "\"square\"", "not a list of sizes"},
  };
  for (const BadLayer& c : cases) {
    SCOPED_TRACE(std::string(c.class_name) + " " + c.fields);
    EXPECT_THAT(error_of(sequential(c.input, {{c.class_name, "x", c.fields}})),
                testing::HasSubstr(c.message));
  }
}

TEST(KerasErrors, WeightsOfAnotherShape) {
  const LayerText dense{"Dense", "x", R"("units": 3)"};
  EXPECT_EQ(
      error_of(sequential("[null, 4]", {dense}, {counting("layers/dense/vars/0", {3, 4})})),
      "model.keras: layer 'x' (Dense): its 'kernel' should have shape [4, 3], but has [3, 4]");
  Weight short_one = counting("layers/dense/vars/0", {4, 3});
  short_one.data.pop_back();
  EXPECT_THAT(error_of(sequential("[null, 4]", {dense}, {short_one})),
              testing::HasSubstr("is incomplete"));
}

TEST(KerasErrors, EveryUnsupportedLayerAtOnce) {
  EXPECT_EQ(
      error_of(sequential("[null, 4]", {{"Lambda", "a", ""},
                                        {"Dense", "b", R"("units": 3)"},
                                        {"Conv3D", "c", R"("units": 3)"}})),
      "model.keras: 2 layers are not supported: 'c' (Conv3D), 'a' (Lambda, the shape of whose "
      "output the file doesn't tell: give it with --lambda a=HxWxC). Replace them by "
      "supported layers, cut the model before them, or write them in C++ (--lambda "
      "NAME=HxWxC, see docs/lambda.md)");
}

/// A function of one's own has one output, whether the file lists several or a layer reads one.
TEST(KerasErrors, LambdasOfSeveralOutputs) {
  const std::string message =
      "model.keras: a layer is not supported: 'a' (Lambda, which has 2 outputs, but a function of "
      "your own has one: make it a layer for each)";
  EXPECT_THAT(error_of(sequential("[null, 4]", {{"Lambda", "a", R"("output_shape": [[4], [4]])"}})),
              testing::StartsWith(message));
  for (const char* shape : {"null", "[4]"})
    EXPECT_THAT(
        error_of(keras_file(functional(R"(["i", 0, 0])", R"(["a", 0, 1])",
                                       {{"InputLayer", "i", R"("batch_shape": [null, 4])"},
                                        {"Lambda", "a", fmt::format(R"("output_shape": {})", shape),
                                         R"([[["i", 0, 0, {}]]])"}}))),
        testing::StartsWith(message));
}

TEST(KerasErrors, CustomClassesAreNotKerass) {
  for (const char* mark : {R"("module": "my_layers")", R"("registered_name": "mine>Dense")",
                           R"("module": null, "registered_name": "Dense")"}) {
    KerasFile file = sequential("[null, 4]", {{"Dense", "x", R"("units": 3)"}});
    file.config["config"]["layers"][1].update(nlohmann::json::parse("{" + std::string(mark) + "}"));
    EXPECT_THAT(error_of(file), testing::HasSubstr("'x' (custom Dense)"));
  }
}

TEST(KerasErrors, OfTheWholeModel) {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "describes no model"},
      {"[1, 2]", "describes no model"},
      {R"({"class_name": "Mine", "config": {}})", "a model of class Mine is not supported"},
      {R"({"class_name": "Sequential", "config": {"layers": []}})", "it has no layers"},
      {R"({"class_name": "Sequential", "config": {"layers": 5}})", "it has no layers"},
      {R"({"class_name": "Sequential", "config": {"layers": [5]}})", "has no class"},
      {R"({"class_name": "Sequential", "config": {"layers": [{"class_name": "ReLU", "config": 1}]}})",
       "no configuration of its own"},
      {R"({"class_name": "Sequential", "config": {"layers": [{"class_name": "ReLU", "config": {"name": "r"}}]}})",
       "Start the model with keras.Input"},
      {R"({"class_name": "Functional", "config": {"layers": [{"class_name": "ReLU", "config": {"name": "r"}}]}})",
       "'input_layers' is missing"},
  };
  for (const auto& [config, message] : cases)
    EXPECT_THAT(error_of(keras_file(config)), testing::HasSubstr(message)) << config;
}

struct BadCalls {
  const char *inputs, *outputs, *calls, *message;
};

TEST(KerasErrors, OfReferences) {
  const std::string in = tensor("i");
  const BadCalls cases[] = {
      {R"(["i", 0, 0])", R"(["x", 0, 0])", R"([[["y", 0, 0, {}]]])",
       "a layer it doesn't have: 'y'"},
      {R"(["i", 0, 0])", R"(["x", 0, 0])", R"([[["x", 0, 0, {}]]])", "read each other in a circle"},
      {R"(["i", 0, 0])", R"(["x", 9, 0])", R"([[["i", 0, 0, {}]], [["x", 0, 0, {}]]])",
       "call 10 of layer 'x', which is called 2 times"},
      {R"(["i", 0, 0])", R"(["x", 1, 0])", R"([[["x", 1, 0, {}]], [["x", 0, 0, {}]]])",
       "read each other in a circle"},
      {R"(["i", 0, 0])", R"(["x", 0, 0])", R"([[["i", 0, 3, {}]]])", "number 4 is used"},
      {R"(["i", 0, 0])", R"(["x", 0, 0])", R"([[["i", "a", 3, {}]]])", "'node index' should be"},
      {R"(["i", 0, 0])", R"(["x", 0, 0])", R"([[["i", 0]]])", "called with ['i', 0]"},
      {R"(["i", 0, 0])", R"(["x", 0, 0])", R"([7])", "is 7, not a list"},
      {R"(["i", 0, 0])", R"(["x", 0, 0])", R"([{"args": 7}])", "one input, not 0"},
      {R"(["i", 0, 0])", R"(["x", 0, 0])", R"({"a": 1})", "not a list"},
      {R"(["i", 0, 0])", R"(["x", 0, 0])", "null", "call 1 of layer 'x', which is called 0 times"},
      {R"(["i", 0, 0])", R"(["x", 0, 0])", "[]", "call 1 of layer 'x', which is called 0 times"},
      {R"(["i", 0, 0])", "[]", "[]", "'output_layers' is empty"},
      {R"(["i", 0, 0])", "[7]", "[]", "is 7, not a tensor"},
      {R"(["x", 0, 0])", R"(["x", 0, 0])", R"([[["i", 0, 0, {}]]])", "isn't an InputLayer"},
  };
  for (const BadCalls& c : cases)
    EXPECT_THAT(error_of(keras_file(functional(c.inputs, c.outputs,
                                               {{"InputLayer", "i", R"("batch_shape": [null, 2])"},
                                                {"ReLU", "x", "", c.calls}}))),
                testing::HasSubstr(c.message))
        << c.calls;
}

TEST(KerasErrors, InputsOfAnotherShape) {
  EXPECT_THAT(
      error_of(keras_file(functional(
          R"([["i", 0, 0], ["j", 0, 0]])", R"(["x", 0, 0])",
          {{"InputLayer", "i", R"("batch_shape": [null, 2])"},
           {"InputLayer", "j", R"("batch_shape": [null, 3])"},
           {"Add", "x", "", "[" + args("[" + tensor("i") + ", " + tensor("j") + "]") + "]"}}))),
      testing::HasSubstr("layer 'x' (Add): the shapes of its inputs can't be broadcast to one"));
}

/// `text` in `depth` models, each of which calls the next `calls` times in a row.
std::string nested(int depth, int calls) {
  std::string model = functional(R"(["i", 0, 0])", R"(["x", 0, 0])",
                                 {{"InputLayer", "i", R"("batch_shape": [null, 2])"},
                                  {"ReLU", "x", "", "[" + args(tensor("i")) + "]"}});
  for (int d = 0; d < depth; ++d) {
    std::string chain = args(tensor("i"));
    for (int c = 1; c < calls; ++c) chain += ", " + args(tensor("net", c - 1));
    model.pop_back();
    model += R"(, "inbound_nodes": [)" + chain + "]}";
    model = fmt::format(
        R"({{"class_name": "Functional", "config": {{"name": "net", "input_layers": ["i", 0, 0], "output_layers": ["net", {}, 0], "layers": [{}, {}]}}}})",
        calls, to_json(LayerText{"InputLayer", "i", R"("batch_shape": [null, 2])"}), model);
  }
  return model;
}

TEST(KerasErrors, TooMuch) {
  EXPECT_EQ(error_of(keras_file(nested(31, 1))), "(imported)");
  EXPECT_THAT(error_of(keras_file(nested(40, 1))), testing::HasSubstr("nested more than 32 deep"));
  // 2^30 calls of one ReLU
  EXPECT_THAT(error_of(keras_file(nested(30, 2))), testing::HasSubstr("more than 20000 layers"));
  EXPECT_THAT(error_of(sequential("[null, 2]", std::vector<LayerText>(100'000, {"ReLU", "x", ""}))),
              testing::HasSubstr("more than 20000 layers"));
  EXPECT_EQ(error_of(sequential("[null, 2]", std::vector<LayerText>(10'000, {"Dropout", "x", ""}))),
            "(imported)");
  // Weights without end from a few lines.
  EXPECT_THAT(error_of(sequential("[null, 60000000]", {{"Rescaling", "x", R"("scale": 2)"}})),
              testing::HasSubstr("more than 67108864 weights"));
}

}  // namespace
}  // namespace nnomc
