// Whole models: the project's examples, and public ones where they are present. However they are
// packed, planned and optimised, and wherever they run, they give the bytes of the scalar target
// with plain weights and every tensor in memory of its own.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "bench/results.hpp"
#include "compiler/compile.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/measure/measure.hpp"
#include "tests/kernel_runner.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using Bytes = std::vector<std::byte>;

constexpr size_t kSamples = 2;

/// What follows `option` in the model's options; empty if it isn't there.
std::string option_of(const bench::Model& model, const std::string& option) {
  const auto at = std::ranges::find(model.options, option);
  return at == model.options.end() || at + 1 == model.options.end() ? "" : *(at + 1);
}

/// The model and samples that its ranges are chosen from: few, for any ranges will do.
struct Source {
  Graph graph;
  Samples samples;
};

Source source_of(const bench::Model& model) {
  Source source{load_model(bench::in_project(model.file)), {}};
  if (const std::string file = option_of(model, "--calibrate"); !file.empty()) {
    const std::string scale = option_of(model, "--scale");  // 1/255
    source.samples = Samples(source.graph, {bench::in_project(file)},
                             {1 / std::stod(scale.substr(scale.find('/') + 1)), 0});
    source.samples.limit(20);
  }
  return source;
}

/// The roundings a model can have: a file that quantises it leaves out powers of two.
std::vector<Rounding> roundings_of(const Graph& graph) {
  if (graph.quantised()) return {Rounding::single_rounding, Rounding::double_rounding};
  return {Rounding::single_rounding, Rounding::double_rounding, Rounding::nearest,
          Rounding::truncating};
}

Inputs random_inputs() {
  return {kSamples, [](size_t sample, size_t input, std::span<unsigned char> to) {
            Random r(static_cast<unsigned>(sample * 10 + input + 1));
            for (unsigned char& b : to) b = static_cast<unsigned char>(r.whole(0, 255));
          }};
}

/// The program with plain weights, every tensor apart.
Program plain_program(const Source& source, Rounding rounding) {
  const Program p = compile(source.graph, source.samples, {.target = "any", .rounding = rounding});
  return lower(p.graph, p.scales, {p.numbers, true, true});
}

/// What the scalar target gives, layer by layer.
Bytes reference_outputs(const Program& p) {
  const Inputs inputs = random_inputs();
  std::vector<double> memory(static_cast<size_t>(p.plan.arena_bytes) / 8 + 2);
  auto* const arena = reinterpret_cast<unsigned char*>(memory.data());
  const auto place = [&](int tensor) { return arena + p.plan.tensor[static_cast<size_t>(tensor)]; };
  const auto bytes = [&](int tensor) {
    return static_cast<size_t>(tensor_bytes(p.graph, tensor, p.numbers));
  };
  Bytes outputs;
  for (size_t sample = 0; sample < inputs.count; ++sample) {
    for (size_t i = 0; i < p.graph.inputs.size(); ++i)
      inputs.fill(sample, i, {place(p.graph.inputs[i]), bytes(p.graph.inputs[i])});
    for (size_t n = 0; n < p.graph.nodes.size(); ++n) {
      const Node& node = p.graph.nodes[n];
      if (info(node.op).alias) continue;
      RowsCall call;
      call.out.base = arena + p.plan.nodes[n].out;
      call.scratch = arena + p.plan.nodes[n].scratch;
      call.state = arena + p.plan.nodes[n].state;
      call.y1 = output_rows(node.op);
      for (const int at : p.plan.nodes[n].in) call.in.emplace_back().base = arena + at;
      run_kernel_rows(node.op, p.node_numbers[n], p.data[n], call);
    }
    for (const int t : p.graph.outputs) {
      const auto* from = reinterpret_cast<const std::byte*>(place(t));
      outputs.insert(outputs.end(), from, from + bytes(t));
    }
  }
  return outputs;
}

class Models : public testing::TestWithParam<bench::Model> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(bench::in_project(GetParam().file)))
      GTEST_SKIP() << GetParam().file << " is not here";
  }
};

TEST_P(Models, GiveTheReferencesBytesInEveryPackingAndPlan) {
  const Source source = source_of(GetParam());
  for (const Rounding rounding : roundings_of(source.graph)) {
    const Program plain = plain_program(source, rounding);
    const Bytes want = reference_outputs(plain);
    for (const Numbers& numbers : all_numbers()) {
      if (!numbers.quantised || numbers.rounding != rounding) continue;
      for (const bool separate : {false, true}) {
        const Program p = lower(plain.graph, plain.scales, {numbers, true, separate});
        EXPECT_TRUE(run_on_host(p, random_inputs(), "").outputs == want)
            << describe(numbers) << (separate ? ", tensors apart" : ", planned");
      }
    }
  }
}

bool have_tools(const std::string& core) {
  const Board board = find_board(core);
  return !find_program(board.compiler).empty() && !find_program(board.emulator).empty();
}

/// One way to run a model on a board.
struct Way {
  std::string core;
  Optimise optimise = Optimise::balanced;
  Rounding rounding = Rounding::single_rounding;
  bool own_packing = true;  ///< the core's, not the one that every core reads
  bool separate = false;    ///< every tensor in memory of its own, where the board has so much
};

constexpr int kBoardRam = 300'000;  // of the board with the least, less its stack and data

/// The target with the packing that a core reads fastest.
std::string target_of(const std::string& core) {
  return core == "cortex-m0plus" ? "cortex-m0" : core;
}

void check_on_board(const Source& source, const Way& way) {
  SCOPED_TRACE(fmt::format("{}, optimise {}, rounding {}, {}, {}", way.core,
                           static_cast<int>(way.optimise), static_cast<int>(way.rounding),
                           way.own_packing ? "packed for it" : "packed for any",
                           way.separate ? "tensors apart" : "planned"));
  const Program plain = plain_program(source, way.rounding);
  Numbers numbers = plain.numbers;
  if (way.own_packing) numbers.layout = layout_of(target_of(way.core));
  const bool separate = way.separate && plain.plan.arena_bytes < kBoardRam;
  const Program p = lower(plain.graph, plain.scales, {numbers, true, separate});
  EmitOptions options;
  options.optimise = way.optimise;
  const Measured run = run_on_core(p, random_inputs(), way.core, options, false);
  EXPECT_TRUE(run.outputs == reference_outputs(plain));
}

const std::vector<Optimise> kLevels = {Optimise::size, Optimise::balanced, Optimise::speed};

/// Every core and level; rounding, packing and plan change from one to the next.
class SlowModels : public Models {};

TEST_P(SlowModels, GiveTheReferencesBytesOnEveryCore) {
  const Source source = source_of(GetParam());
  const std::vector<Rounding> roundings = roundings_of(source.graph);
  unsigned turn = static_cast<unsigned>(GetParam().name.size());
  for (const std::string& core : core_names()) {
    if (!have_tools(core)) continue;
    for (const Optimise optimise : kLevels) {
      check_on_board(source, {core, optimise, roundings[turn % roundings.size()], turn % 3 != 0,
                              turn % 2 == 0});
      ++turn;
    }
  }
}

/// One of the project's own models on each core.
TEST(ModelsOnBoards, GiveTheReferencesBytes) {
  std::vector<bench::Model> own;
  for (const bench::Model& m : bench::read_models())
    if (m.from.starts_with("examples/")) own.push_back(m);
  size_t turn = 0;
  for (const std::string& core : core_names()) {
    const bench::Model& model = own[turn % own.size()];
    SCOPED_TRACE(model.name);
    if (have_tools(core))
      check_on_board(source_of(model),
                     {core, kLevels[turn % 3],
                      turn % 2 ? Rounding::single_rounding : Rounding::double_rounding,
                      turn % 3 != 1, turn % 2 == 1});
    ++turn;
  }
}

std::string name_of(const testing::TestParamInfo<bench::Model>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(All, Models, testing::ValuesIn(bench::read_models()), name_of);
INSTANTIATE_TEST_SUITE_P(SlowAll, SlowModels, testing::ValuesIn(bench::read_models()), name_of);

}  // namespace
}  // namespace nnomc
