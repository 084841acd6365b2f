// Layers that are the user's own code, as a user meets them: what is explained, and `nnom hooks`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "compiler/emit/emit.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/lambda_models.hpp"

namespace nnomc {
namespace {

using namespace lambda;
using testing::HasSubstr;

const Case kFirst{"output_shape.keras", {}, {"pairs"}};

Outcome nnom(std::vector<std::string> arguments, const TempDir& folder) {
  arguments.insert(arguments.begin(), NNOM_BINARY);
  return run_command({.arguments = arguments, .directory = folder.path().string()});
}

/// `hooks` is the header's text; "" for none.
struct Mistake {
  std::string model;
  std::vector<std::string> options;
  std::string hooks;
  std::vector<std::string> message;
};

const std::string kNone = "namespace hooks {}\n";

const Mistake kMistakes[] = {
    {"output_shape.keras",
     {},
     "",
     {"layer 'pairs' (Lambda) is code of your own: give the header that has it with --hooks",
      "void pairs(const auto& x, auto& y)", "nnom hooks"}},
    {"output_shape.keras", {"--hooks", "absent.hpp"}, "", {"--hooks absent.hpp: no such file"}},
    {"output_shape.keras",
     {},
     kNone,
     {"hooks.hpp has no function that layer 'pairs' (Lambda) could call. Write, in namespace "
      "hooks: void pairs(const auto& x, auto& y)"}},
    {"output_shape.keras",
     {},
     "namespace hooks { void pairs(const float*, float*) {} }\n",
     {"no function that layer 'pairs' (Lambda) could call"}},
    {"two_inputs.keras",
     {},
     "namespace hooks { void mix(const auto&, auto&) {} }\n",
     {"layer 'mix' (Lambda)", "void mix(const auto& x0, const auto& x1, auto& y)"}},
    {"arguments.keras",
     {},
     "namespace hooks { void soft_clip(const auto&, auto&) {} }\n",
     {"void soft_clip(const auto& x, auto& y, const auto& p)"}},
    {"arguments.keras",
     {},
     "namespace hooks { void soft_clip(const auto& x, auto& y, const auto& p) { y.set(0, x[0] * "
     "p.alfa); } }\n",
     {"has no member named", "alfa"}},
    {"arguments.keras",
     {},
     "namespace hooks { void soft_clip(const auto&, auto&, const auto&) {} }\n",
     {"'soft_clip' gives values that are not finite"}},
    {"output_shape.keras",
     {"--lambda", "pears=3"},
     kNone,
     {"--lambda pears=3",
      "no layer and no class called 'pears'; what may be meant is 'pairs' "
      "(Lambda)"}},
    {"output_shape.keras",
     {"--lambda", "first=3"},
     kNone,
     {"--lambda first=3: layer 'first' (Dense) can't be a function of your own"}},
    {"output_shape.keras",
     {"--lambda", "pairs=3xx1"},
     kNone,
     {"--lambda pairs=3xx1: '3xx1' is not a shape such as 28x28x1"}},
    {"output_shape.keras", {"--lambda", "pairs=0"}, kNone, {"'0' is not a shape"}},
    {"output_shape.keras", {"--lambda", "pairs="}, kNone, {"'' is not a shape"}},
    {"output_shape.keras", {"--lambda", "=3"}, kNone, {"it begins with the name of a layer"}},
    {"output_shape.keras",
     {"--lambda", "pairs,alpha"},
     kNone,
     {"'alpha' is not a parameter such as alpha=0.5"}},
    {"output_shape.keras",
     {"--lambda", "pairs,a-b=1"},
     kNone,
     {"'a-b' can't be the name of a parameter"}},
    {"output_shape.keras",
     {"--lambda", "pairs,alpha=much"},
     kNone,
     {"alpha is 'much', not a number, true or false"}},
    {"no_shape.keras",
     {},
     kNone,
     {"'squared' (Lambda, the shape of whose output the file doesn't tell: give it with --lambda "
      "squared=HxWxC)"}},
    {"middle.keras",
     {"--lambda", "sparse=9x3x3"},
     "#include \"" + kHooks + "\"\n",
     {"layer 'last' (Dense)"}},
    {"custom.keras",
     {},
     kNone,
     {"2 layers are not supported: 'gate' (custom Gate), 'gate_2' (custom Gate)",
      "write them in C++ (--lambda NAME=HxWxC"}},
    {"custom.keras",
     {"--lambda", "Gate"},
     kNone,
     {"layer 'gate' (Gate)", "void Gate(const auto& x, auto& y, const auto& p)"}},
};

TEST(LambdaMistakes, AreExplained) {
  for (const Mistake& m : kMistakes) {
    SCOPED_TRACE(m.model + " " + testing::PrintToString(m.options) + "\n" + m.hooks);
    const TempDir folder;
    std::vector<std::string> arguments = {"convert", kFolder + m.model, "-o", "model.hpp"};
    arguments.insert(arguments.end(), m.options.begin(), m.options.end());
    if (!m.hooks.empty()) {
      write_file(folder.file("hooks.hpp"), m.hooks);
      arguments.insert(arguments.end(), {"--hooks", "hooks.hpp"});
    }
    const std::string numbers = kFolder + m.model.substr(0, m.model.find('.')) + ".npz:input_";
    arguments.insert(arguments.end(), {"--calibrate", numbers + "0"});
    if (m.model.starts_with("two"))
      arguments.insert(arguments.end(), {"--calibrate", numbers + "1"});
    const Outcome outcome = nnom(arguments, folder);
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_EQ(outcome.output, "");
    for (const std::string& part : m.message) EXPECT_THAT(outcome.errors, HasSubstr(part));
    EXPECT_FALSE(std::filesystem::exists(folder.file("model.hpp")));
  }
}

TEST(LambdaMistakes, ShowWhenFirmwareIsBuilt) {
  const Case& c = kFirst;
  const Graph graph = load_model(c.path(), options_of(c, kHooks));
  const TempDir folder;
  const Generated files = emit(compile(graph, samples_of(c, graph), {}), {});
  write_file(folder.file("model.hpp"), files.header);
  write_file(folder.file("hooks.hpp"), kNone);
  const std::string said = complaint(
      files.source, {"-std=c++20", "-I" NNOM_SOURCE_DIR "/runtime", "-I" + folder.path().string()});
  EXPECT_THAT(said, HasSubstr("hooks.hpp has no function that layer 'pairs' (Lambda) could call. "
                              "Write, in namespace hooks: void pairs(const auto& x, auto& y)"));
  std::filesystem::remove(folder.file("hooks.hpp"));
  EXPECT_THAT(complaint(files.source, {"-std=c++20", "-I" NNOM_SOURCE_DIR "/runtime",
                                       "-I" + folder.path().string()}),
              HasSubstr("hooks.hpp: No such file"));
}

TEST(LambdaMistakes, NeverOverwriteTheFunctions) {
  const TempDir folder;
  write_file(folder.file("hooks.hpp"), kNone);
  EXPECT_THAT(nnom({"convert", kFolder + "output_shape.keras", "--hooks", "hooks.hpp", "-o",
                    "hooks.hpp", "--calibrate", kFolder + "output_shape.npz:input_0"},
                   folder)
                  .errors,
              HasSubstr("-o hooks.hpp: is the name of the header in --hooks"));
  EXPECT_EQ(as_text(read_file(folder.file("hooks.hpp"))), kNone);
}

TEST(LambdaMistakes, OfModelsWithoutSuchLayers) {
  const TempDir folder;
  const std::string plain = NNOM_SOURCE_DIR "/tests/fixtures/keras/dense_implicit.h5";
  EXPECT_THAT(nnom({"inspect", plain, "--hooks", kHooks}, folder).errors,
              HasSubstr("has no layers that are code of your own"));
  EXPECT_THAT(nnom({"hooks", plain}, folder).errors, HasSubstr("so it needs no hooks"));
  EXPECT_THAT(nnom({"inspect", NNOM_SOURCE_DIR "/tests/fixtures/keras/unsupported/masking.keras",
                    "--lambda", "Masking=3"},
                   folder)
                  .errors,
              HasSubstr("can't be a function of your own"));
}

TEST(LambdaCommand, WritesASkeletonThatAsksToBeFilledIn) {
  const TempDir folder;
  const std::vector<std::string> model = {kFolder + "custom.keras", "--lambda", "Gate"};
  const auto with = [&](const std::string& command, std::vector<std::string> more) {
    more.insert(more.begin(), model.begin(), model.end());
    more.insert(more.begin(), command);
    return nnom(more, folder);
  };
  EXPECT_EQ(with("hooks", {}).exit_code, 0);
  const std::string text(as_text(read_file(folder.file("hooks.hpp"))));
  EXPECT_THAT(text, HasSubstr("/// Layer 'gate' (Gate): x is 3 x 4, y 3 x 4.\n"
                              "/// p: float offsets[2] = {0.25f, -0.5f}\n"
                              "/// p: int power = 2\n"
                              "/// p: bool sharp = true\n"
                              "/// p: weight0, 4 floats\n"
                              "/// p: weight1, 2 x 4 floats\n"
                              "void Gate(const auto& x, auto& y, const auto& p) {\n"));
  EXPECT_EQ(text.find("void Gate", text.find("void Gate") + 1), std::string::npos);
  EXPECT_THAT(with("hooks", {}).errors, HasSubstr("is there already"));
  const std::vector<std::string> convert = {
      "--hooks", "hooks.hpp", "-o", "model.hpp", "--calibrate", kFolder + "custom.npz:input_0"};
  EXPECT_THAT(with("convert", convert).errors, HasSubstr("write what Gate computes"));
  EXPECT_THAT(with("inspect", {}).output, HasSubstr("gate_2"));
}

/// A parameter on the command line takes the place of the file's, and may be a new one.
TEST(LambdaCommand, ParametersGetToTheFunction) {
  const TempDir folder;
  write_file(folder.file("hooks.hpp"),
             "namespace hooks { void soft_clip(const auto& x, auto& y, const auto& p) {\n"
             "for (int i = 0; i < y.size(); ++i) y.set(i, x[i] * 0 + p.alpha + p.steps); } }\n");
  Case c{"arguments.keras", {"soft_clip,alpha=1.5,steps=3"}, {}};
  const Graph graph = load_model(c.path(), options_of(c, folder.file("hooks.hpp")));
  Graph cut = graph;
  cut.outputs = {cut.nodes[0].output};
  cut.nodes.resize(1);
  EXPECT_EQ(run_float(cut, {{1, 2, 3, 4}})[0], std::vector<float>(4, 4.5f));
}

}  // namespace
}  // namespace nnomc
