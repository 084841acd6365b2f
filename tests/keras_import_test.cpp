/// \file
/// The nodes that Keras layers become. What they compute is tested in keras_float_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "compiler/import/keras.hpp"
#include "compiler/op_table.hpp"
#include "keras_models.hpp"

namespace nnomc {
namespace {

/// "name Op 4 x 3; ..." for each node.
std::string nodes(const Graph& graph) {
  std::string text;
  for (const Node& n : graph.nodes)
    text += fmt::format("{}{} {} {}", text.empty() ? "" : "; ", n.name, info(n.op).name,
                        to_string(graph.shape(n.output)));
  return text;
}

struct LayerCase {
  const char* class_name;
  const char* fields;
  const char* input;
  std::vector<Weight> weights;
  const char* expected;
};

Weight kernel(std::vector<std::int64_t> shape, const std::string& group, int index = 0) {
  return counting("layers/" + group + "/vars/" + std::to_string(index), std::move(shape));
}

TEST(KerasImport, Nodes) {
  const LayerCase cases[] = {
      {"Dense",
       R"("units": 3, "use_bias": false)",
       "[null, 4]",
       {kernel({4, 3}, "dense")},
       "x Dense 3"},
      {"Dense",
       R"("units": 3, "use_bias": false, "activation": "relu")",
       "[null, 5, 4]",
       {kernel({4, 3}, "dense")},
       "x Conv2D 5 x 3; x/activation Activation 5 x 3"},
      {"Dense",
       R"("units": 3, "use_bias": false)",
       "[null, 1, 1, 4]",
       {kernel({4, 3}, "dense")},
       "x Dense 1 x 1 x 3"},
      {"Dense",
       R"("units": 3, "use_bias": false)",
       "[null, 2, 2, 2, 4]",
       {kernel({4, 3}, "dense")},
       "x/rows Reshape 8 x 4; x Conv2D 8 x 3; x/shape Reshape 2 x 2 x 2 x 3"},
      {"Conv1D",
       R"("filters": 2, "kernel_size": [3], "padding": "causal", "dilation_rate": 2, "use_bias": false)",
       "[null, 9, 4]",
       {kernel({3, 4, 2}, "conv1d")},
       "x Conv2D 9 x 2"},
      {"Conv2D",
       R"("filters": 2, "kernel_size": 3, "strides": [2, 1], "padding": "same", "use_bias": false)",
       "[null, 9, 8, 4]",
       {kernel({3, 3, 4, 2}, "conv2d")},
       "x Conv2D 5 x 8 x 2"},
      {"DepthwiseConv2D",
       R"("kernel_size": 3, "use_bias": false)",
       "[null, 9, 8, 4]",
       {kernel({3, 3, 4, 1}, "depthwise_conv2d")},
       "x DepthwiseConv2D 7 x 6 x 4"},
      {"DepthwiseConv2D",
       R"("kernel_size": 3, "depth_multiplier": 2, "use_bias": false)",
       "[null, 9, 8, 4]",
       {kernel({3, 3, 4, 2}, "depthwise_conv2d")},
       "x Conv2D 7 x 6 x 8"},
      {"SeparableConv1D",
       R"("filters": 5, "kernel_size": 3, "use_bias": false)",
       "[null, 9, 4]",
       {kernel({3, 4, 1}, "separable_conv1d"), kernel({1, 4, 5}, "separable_conv1d", 1)},
       "x DepthwiseConv2D 7 x 4; x/pointwise Conv2D 7 x 5"},
      {"Activation", R"("activation": "linear")", "[null, 4]", {}, "x/output Reshape 4"},
      {"Activation", R"("activation": "log_softmax")", "[null, 4]", {}, "x Softmax 4"},
      {"Activation",
       R"("activation": {"module": "keras.activations", "class_name": "function", "config": "tanh"})",
       "[null, 4]",
       {},
       "x Activation 4"},
      {"Softmax",
       R"("axis": 1)",
       "[null, 4, 3]",
       {},
       "x/transpose Transpose 3 x 4; x Softmax 3 x 4; x/transpose_back Transpose 4 x 3"},
      {"MaxPooling1D", R"("pool_size": [2])", "[null, 5, 3]", {}, "x MaxPool2D 2 x 3"},
      {"AveragePooling2D",
       R"("padding": "same", "strides": null)",
       "[null, 5, 4, 3]",
       {},
       "x AveragePool2D 3 x 2 x 3"},
      {"GlobalAveragePooling2D", R"("keepdims": true)", "[null, 5, 4, 3]", {}, "x Mean 1 x 1 x 3"},
      {"GlobalMaxPooling1D", "", "[null, 5, 3]", {}, "x MaxPool2D 1 x 3; x/flatten Reshape 3"},
      {"Flatten", "", "[null, 5, 3]", {}, "x Reshape 15"},
      {"Reshape", R"("target_shape": [3, -1])", "[null, 12]", {}, "x Reshape 3 x 4"},
      {"Permute", R"("dims": [2, 1])", "[null, 5, 3]", {}, "x Transpose 3 x 5"},
      {"ZeroPadding2D", R"("padding": [[1, 0], [2, 3]])", "[null, 5, 4, 3]", {}, "x Pad 6 x 9 x 3"},
      {"ZeroPadding1D", R"("padding": 2)", "[7, 5, 3]", {}, "x Pad 9 x 3"},
      {"Rescaling",
       R"("scale": 0.5, "offset": [1, 2])",
       "[null, 2, 2, 2, 2]",
       {},
       "x/rows Reshape 8 x 2; x DepthwiseConv2D 8 x 2; x/shape Reshape 2 x 2 x 2 x 2"},
      {"Normalization",
       R"("axis": [-1], "mean": [1, 2], "variance": [4, 9])",
       "[null, 2]",
       {},
       "x DepthwiseConv2D 2"},
      {"Dropout", R"("rate": 0.5)", "[null, 2]", {}, "x/output Reshape 2"},
  };
  for (const LayerCase& c : cases) {
    SCOPED_TRACE(std::string(c.class_name) + " " + c.fields);
    EXPECT_EQ(nodes(import_keras(sequential(c.input, {{c.class_name, "x", c.fields}}, c.weights))),
              c.expected);
  }
}

TEST(KerasImport, WeightsHaveTheOutputChannelFirst) {
  const Graph conv = import_keras(sequential(
      "[null, 4, 4, 2]",
      {{"Conv2D", "x", R"("filters": 3, "kernel_size": [1, 2], "use_bias": true)"}},
      {counting("layers/conv2d/vars/0", {1, 2, 2, 3}), counting("layers/conv2d/vars/1", {3})}));
  EXPECT_EQ(conv.nodes[0].weights, (std::vector<float>{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
  EXPECT_EQ(conv.nodes[0].bias, (std::vector<float>{0, 1, 2}));
}

TEST(KerasImport, BatchNormalizationBecomesFactorAndOffset) {
  std::vector<Weight> weights{{"layers/batch_normalization/vars/0", {2}, {1, 2}},   // gamma
                              {"layers/batch_normalization/vars/1", {2}, {3, 4}},   // beta
                              {"layers/batch_normalization/vars/2", {2}, {5, 6}},   // mean
                              {"layers/batch_normalization/vars/3", {2}, {4, 9}}};  // variance
  const Graph graph = import_keras(sequential(
      "[null, 2]", {{"BatchNormalization", "x", R"("axis": [1], "epsilon": 0)"}}, weights));
  EXPECT_EQ(graph.nodes[0].weights, (std::vector<float>{0.5F, static_cast<float>(2. / 3)}));
  EXPECT_EQ(graph.nodes[0].bias, (std::vector<float>{0.5F, 0}));
}

TEST(KerasImport, HardSigmoidIsThatOfTheFilesVersion) {
  for (const auto& [version, slope] : {std::pair("2.15.0", 0.2F), std::pair("3.3.0", 1.0F / 6)}) {
    KerasFile file =
        sequential("[null, 2]", {{"Activation", "x", R"("activation": "hard_sigmoid")"}});
    file.keras_version = version;
    const Graph graph = import_keras(file);
    EXPECT_EQ(std::get<nnom::Activation>(graph.nodes[0].op).slope, slope);
  }
}

TEST(KerasImport, ActivationMayBeALayer) {
  const Graph graph = import_keras(
      sequential("[null, 2]", {{"Activation", "x",
                                R"("activation": {"module": "keras.layers", "class_name": "ReLU",
            "config": {"max_value": 6, "negative_slope": 0.1, "threshold": 1}})"}}));
  const auto& op = std::get<nnom::Activation>(graph.nodes[0].op);
  EXPECT_EQ(op.high, 6);
  EXPECT_EQ(op.slope, 0.1F);
  EXPECT_EQ(op.threshold, 1);
}

/// Keras 2.12 and 2.13 list a layer that has weights twice, 2.14 once, all in a container of
/// another name.
TEST(KerasImport, GroupsOfOldArchives) {
  for (const auto& [version, second] : {std::pair("2.12.0", "2"), std::pair("2.14.0", "1")}) {
    const std::string path = "_layer_checkpoint_dependencies/dense";
    KerasFile file = sequential(
        "[null, 2]",
        {{"Dense", "a", R"("units": 2, "use_bias": false)"},
         {"Dense", "b", R"("units": 3, "use_bias": false)"}},
        {counting(path + "/vars/0", {2, 2}), counting(path + "_" + second + "/vars/0", {2, 3})});
    file.keras_version = version;
    EXPECT_EQ(nodes(import_keras(file)), "a Dense 2; b Dense 3");
  }
}

/// A layer that is also in a nested model is stored there; only its second place says that it is
/// shared. Keras 3 leaves out its number at that place, Keras 2 gives it to the next layer.
TEST(KerasImport, LayerOfANestedModelAndTheOuter) {
  for (const auto& [version, next] :
       {std::pair("2.15.0", "dense"), std::pair("3.8.0", "dense_1")}) {
    const std::string units = R"("units": 2, "use_bias": false)";
    KerasFile file = sequential(
        "[null, 2]", {{"Sequential", "m", ""}, {"Dense", "d", units}, {"Dense", "e", units}},
        {counting("layers/sequential/layers/dense/vars/0", {2, 2}),
         {"layers/" + std::string(next) + "/vars/0", {2, 2}, {9, 9, 9, 9}}});
    nlohmann::json& layers = file.config["config"]["layers"];
    layers[2]["shared_object_id"] = 1;
    layers[1]["config"]["layers"] = {layers[2]};
    layers[1]["config"]["layers"][0].erase("shared_object_id");
    file.keras_version = version;
    const Graph graph = import_keras(file);
    ASSERT_EQ(nodes(graph), "m/d Dense 2; d Dense 2; e Dense 2");
    EXPECT_EQ(graph.nodes[0].weights, (std::vector<float>{0, 2, 1, 3}));
    EXPECT_EQ(graph.nodes[1].weights, graph.nodes[0].weights);
    EXPECT_EQ(graph.nodes[2].weights, std::vector<float>(4, 9)) << version;
  }
}

/// Until Keras 2.2.2 the configuration of a Sequential model was the list of its layers.
TEST(KerasImport, OldSequential) {
  KerasFile file = keras_file(R"({"class_name": "Sequential", "config": [
      {"class_name": "Flatten", "config": {"name": "f", "batch_input_shape": [null, 2, 3]}},
      {"class_name": "ReLU", "config": {"name": "r"}}]})");
  EXPECT_EQ(nodes(import_keras(file)), "f Reshape 6; r Activation 6");
}

/// The trained weights of all layers come first; which those are, an .h5 file tells by names.
TEST(KerasImport, NestedModelInH5) {
  const std::string inner =
      functional(R"([["i", 0, 0]])", R"([["d", 0, 0]])",
                 {{"InputLayer", "i", R"("batch_shape": [null, 1])"},
                  {"BatchNormalization", "n", R"("epsilon": 0)", "[" + args(tensor("i")) + "]"},
                  {"Dense", "d", R"("units": 1)", "[" + args(tensor("n")) + "]"}});
  nlohmann::json nested = nlohmann::json::parse(inner);
  nested["config"]["name"] = "m";
  KerasFile file = sequential("[null, 1]", {});
  file.config["config"]["layers"].push_back(nested);
  file.legacy_h5 = true;
  const char* names[] = {"n/gamma:0", "n/beta:0",        "d/kernel:0",
                         "d/bias:0",  "n/moving_mean:0", "n/moving_variance:0"};
  float value = 1;
  for (const char* name : names) {
    const std::string path = std::string("model_weights/m/") + name;
    file.weights.push_back({path, {1}, {value *= 4}});
    if (std::string(name) == "d/kernel:0") file.weights.back().shape = {1, 1};
    file.weight_names["m"].push_back(path);
  }
  const Graph graph = import_keras(file);
  ASSERT_EQ(nodes(graph), "m/n DepthwiseConv2D 1; m/d Dense 1");
  EXPECT_EQ(graph.nodes[0].weights[0], 4.0F / 64);  // gamma / sqrt(variance)
  EXPECT_EQ(graph.nodes[1].weights[0], 64);
  EXPECT_EQ(graph.nodes[1].bias[0], 256);
}

TEST(KerasImport, SharedLayerAndRepeatedTensor) {
  const Graph graph = import_keras(keras_file(functional(
      R"([["i", 0, 0]])", R"([["sum", 0, 0], ["r", 1, 0], ["r", 1, 0]])",
      {{"InputLayer", "i", R"("batch_shape": [null, 2])"},
       {"ReLU", "r", "", "[" + args(tensor("i")) + ", " + args(tensor("r")) + "]"},
       {"Add", "sum", "",
        "[" + args("[" + tensor("r", 1) + ", " + tensor("r", 1) + ", " + tensor("i") + "]") +
            "]"}})));
  EXPECT_EQ(nodes(graph),
            "r Activation 2; r#2 Activation 2; sum/sum1 Add 2; sum Add 2; r/output Reshape 2");
  EXPECT_EQ(graph.nodes[2].inputs[0], graph.nodes[2].inputs[1]);
}

TEST(KerasImport, ManyInputsAreConcatenatedInOrder) {
  std::vector<LayerText> layers;
  std::string inputs, tensors;
  for (int i = 0; i < 70; ++i) {
    const std::string name = fmt::format("i{}", i);
    layers.push_back({"InputLayer", name, fmt::format(R"("batch_shape": [null, {}])", i + 1)});
    inputs += fmt::format(R"({}["{}", 0, 0])", i ? ", " : "", name);
    tensors += fmt::format("{}{}", i ? ", " : "", tensor(name));
  }
  layers.push_back({"Concatenate", "c", R"("axis": 1)", "[" + args("[" + tensors + "]") + "]"});
  const Graph graph =
      import_keras(keras_file(functional("[" + inputs + "]", R"([["c", 0, 0]])", layers)));
  EXPECT_EQ(graph.inputs.size(), 70U);
  EXPECT_EQ(graph.shape(graph.outputs[0]), (Shape{1, {70 * 71 / 2}}));
  std::set<std::string> names;
  for (const Node& n : graph.nodes) EXPECT_TRUE(names.insert(n.name).second) << n.name;
  EXPECT_EQ(graph.nodes.back().name, "c");
}

}  // namespace
}  // namespace nnomc
