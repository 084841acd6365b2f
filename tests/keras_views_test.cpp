/// \file
/// Layers that Keras has in another order of axes than the board, and layers on each step of time:
/// which nodes they become. What they compute is tested in keras_float_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/error.hpp"
#include "compiler/import/keras.hpp"
#include "compiler/op_table.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/quantise/scales.hpp"
#include "keras_models.hpp"

namespace nnomc {
namespace {

/// "name Op 4 x 3; ..." for each node that does something.
std::string nodes(const Graph& graph) {
  std::string text;
  for (const Node& n : graph.nodes)
    if (!info(n.op).alias)
      text += fmt::format("{}{} {} {}", text.empty() ? "" : "; ", n.name, info(n.op).name,
                          to_string(graph.shape(n.output)));
  return text;
}

const char* const kFirst = R"("data_format": "channels_first")";

std::string conv(int filters, const std::string& more) {
  return fmt::format(R"("filters": {}, "kernel_size": 2, "use_bias": false, {})", filters, more);
}

TEST(KerasViews, ChannelsFirstMovesNothing) {
  const Graph graph = import_keras(sequential(
      "[null, 2, 4, 3]",
      {{"Conv2D", "conv", conv(3, kFirst)},
       {"Activation", "relu", R"("activation": "relu")"},
       {"MaxPooling2D", "pool", fmt::format(R"("pool_size": [1, 2], {})", kFirst)},
       {"Flatten", "flat", R"("data_format": "channels_last")"},
       {"Dropout", "drop", ""},
       {"Dense", "dense", R"("units": 1, "use_bias": false)"}},
      {counting("layers/conv2d/vars/0", {2, 2, 2, 3}), counting("layers/dense/vars/0", {9, 1})}));
  EXPECT_EQ(nodes(graph),
            "conv Conv2D 3 x 2 x 3; relu Activation 3 x 2 x 3; pool MaxPool2D 3 x 1 x 3; dense "
            "Dense 1");
  EXPECT_EQ(graph.shape(graph.inputs[0]), (Shape{3, {4, 3, 2}}));
  EXPECT_EQ(graph.input_order, (std::vector<std::vector<int>>{{2, 0, 1}}));
  // Channel by channel in the file, pixel by pixel here.
  EXPECT_EQ(graph.nodes.back().weights, (std::vector<float>{0, 3, 6, 1, 4, 7, 2, 5, 8}));
}

TEST(KerasViews, APermuteBeforeChannelsFirstGoesAway) {
  Graph graph = import_keras(
      sequential("[null, 4, 3, 2]",
                 {{"Permute", "p", R"("dims": [3, 1, 2])"}, {"Conv2D", "conv", conv(3, kFirst)}},
                 {counting("layers/conv2d/vars/0", {2, 2, 2, 3})}));
  EXPECT_TRUE(graph.input_order.empty());
  optimise(graph);
  EXPECT_EQ(nodes(graph), "conv Conv2D 3 x 2 x 3");
}

TEST(KerasViews, AnOutputStaysChannelsLast) {
  const Graph graph =
      import_keras(sequential("[null, 2, 4, 3]", {{"Conv2D", "conv", conv(3, kFirst)}},
                              {counting("layers/conv2d/vars/0", {2, 2, 2, 3})}));
  EXPECT_EQ(graph.output_order, (std::vector<std::vector<int>>{{2, 0, 1}}));
  EXPECT_EQ(in_file_order(graph.shape(graph.outputs[0]), graph.output_order, 0),
            (Shape{3, {3, 3, 2}}));
}

TEST(KerasViews, AxesOfLayersThatNeedNoPicture) {
  const Graph graph = import_keras(sequential("[null, 2, 4, 3]",
                                              {{"Conv2D", "conv", conv(3, kFirst)},
                                               {"Softmax", "soft", R"("axis": 1)"},
                                               {"Softmax", "row", R"("axis": -1)"}},
                                              {counting("layers/conv2d/vars/0", {2, 2, 2, 3})}));
  EXPECT_EQ(nodes(graph),
            "conv Conv2D 3 x 2 x 3; soft Softmax 3 x 2 x 3; row/transpose Transpose 3 x 3 x 2; row "
            "Softmax 3 x 3 x 2; row/transpose_back Transpose 3 x 2 x 3");
}

std::string each(const std::string& class_name, const std::string& fields) {
  return fmt::format(R"("layer": {{"class_name": "{}", "config": {{"name": "inner"{}{}}}}})",
                     class_name, fields.empty() ? "" : ", ", fields);
}

TEST(KerasViews, TimeDistributedHasItsWeightsOnce) {
  const Graph graph = import_keras(sequential(
      "[null, 5, 4, 4, 2]",
      {{"TimeDistributed", "conv", each("Conv2D", conv(3, R"("strides": 2, "padding": "same")"))},
       {"TimeDistributed", "average", each("GlobalAveragePooling2D", "")},
       {"TimeDistributed", "dense", each("Dense", R"("units": 2, "use_bias": false)")}},
      {counting("layers/time_distributed/layer/vars/0", {2, 2, 2, 3}),
       counting("layers/time_distributed_2/layer/vars/0", {3, 2})}));
  EXPECT_EQ(nodes(graph), "conv Conv2D 10 x 2 x 3; average Mean 5 x 3; dense Conv2D 5 x 2");
}

TEST(KerasViews, TimeDistributedStepByStep) {
  const Graph graph = import_keras(
      sequential("[null, 2, 4, 4, 1]", {{"TimeDistributed", "pool", each("MaxPooling2D", "")}}));
  EXPECT_EQ(nodes(graph),
            "pool/0/slice Slice 1 x 4 x 4 x 1; pool/0 MaxPool2D 2 x 2 x 1; pool/1/slice Slice 1 x "
            "4 x 4 x 1; pool/1 MaxPool2D 2 x 2 x 1; pool Concat 2 x 2 x 2 x 1");
}

Graph embedding(int rows) {
  return import_keras(
      sequential("[null, 2, 2]",
                 {{"Flatten", "flat", ""},
                  {"Embedding", "rows", fmt::format(R"("input_dim": {}, "output_dim": 3)", rows)}},
                 {counting("layers/embedding/vars/0", {rows, 3})}));
}

/// Row numbers go in as they are, and all rows are within the output's range.
TEST(KerasViews, EmbeddingTakesWholeNumbers) {
  for (const auto& [rows, zero] : {std::pair(7, 0), std::pair(128, 0), std::pair(256, -128)}) {
    const Graph graph = embedding(rows);
    EXPECT_EQ(nodes(graph), "rows Embedding 4 x 3");
    EXPECT_FALSE(needs_range(graph, graph.inputs[0]));
    const auto scales = scales_of(graph, std::vector<Limits>(graph.tensors.size()));
    EXPECT_EQ(scales[static_cast<size_t>(graph.inputs[0])], (Quantisation{1, zero}));
    EXPECT_NEAR(scales[static_cast<size_t>(graph.outputs[0])].scale, (rows * 3 - 1) / 255.0, 1e-6);
  }
}

TEST(KerasViews, TablesOfOneInput) {
  const std::string call = "[" + args(tensor("i")) + "]";
  KerasFile file =
      keras_file(functional(R"([["i", 0, 0]])", R"([["a", 0, 0], ["b", 0, 0]])",
                            {{"InputLayer", "i", R"("batch_shape": [null, 2])"},
                             {"Embedding", "a", R"("input_dim": 7, "output_dim": 1)", call},
                             {"Embedding", "b", R"("input_dim": 200, "output_dim": 1)", call}}),
                 {counting("layers/embedding/vars/0", {7, 1}),
                  counting("layers/embedding_1/vars/0", {200, 1})});
  const Graph graph = import_keras(file);
  EXPECT_EQ(fixed_input(graph, graph.inputs[0]), (Quantisation{1, -128}));
}

TEST(KerasViews, EmbeddingOfWhatTheModelComputes) {
  EXPECT_THAT(
      [] {
        import_keras(sequential(
            "[null, 2]",
            {{"ReLU", "r", ""}, {"Embedding", "e", R"("input_dim": 7, "output_dim": 3)"}},
            {counting("layers/embedding/vars/0", {7, 3})}));
      },
      testing::ThrowsMessage<Error>(testing::HasSubstr("row numbers that the model computes")));
}

}  // namespace
}  // namespace nnomc
