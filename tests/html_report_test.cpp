// The page of `nnom report`: what it is made of, as Python's own parser reads it (page_parts.py).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/file.hpp"
#include "compiler/measure/memory.hpp"
#include "compiler/report/html/hardware.hpp"
#include "compiler/report/html/report.hpp"
#include "compiler/report/table.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

using Json = nlohmann::json;

const std::string kExamples = NNOM_SOURCE_DIR "/examples/";
const std::vector<std::string> kSections = {"verdict", "speed",  "quality", "memory",
                                            "network", "ranges", "advice"};

bool has_python() { return !find_program("python3").empty(); }

Json parts_of(const std::string& page) {
  const TempFolder folder;
  write_file(folder / "page.html", page);
  const Outcome outcome =
      run_command({{"python3", NNOM_SOURCE_DIR "/tests/page_parts.py", folder / "page.html"}});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  return Json::parse(outcome.output);
}

/// A page that is sound: well-formed, and with nothing from elsewhere.
void expect_sound(const Json& parts) {
  EXPECT_EQ(parts["faults"], Json::array());
  EXPECT_EQ(parts["references"], Json::array());
  EXPECT_EQ(parts["handlers"], Json::array());
  EXPECT_EQ(parts["elements"]["script"], 1);
  for (const char* never : {"img", "iframe", "object", "embed", "form", "input", "base"})
    EXPECT_FALSE(parts["elements"].contains(never)) << never;
  for (const std::string& section : kSections)
    EXPECT_TRUE(parts["sections"].contains(section)) << section;
}

/// The rows of the table whose caption begins so.
Json table_of(const Json& parts, const std::string& caption) {
  for (const auto& [name, rows] : parts["tables"].items())
    if (name.starts_with(caption)) return rows;
  ADD_FAILURE() << "no table '" << caption << "'";
  return Json::array();
}

/// A model of the examples, and what it is compiled to.
struct Made {
  Graph model;
  CompileOptions options;
  Samples samples;
  Program program;

  explicit Made(Graph graph, const CompileOptions& with = {.target = "cortex-m4"})
      : model(std::move(graph)),
        options(with),
        samples(Samples::synthetic(model, 8)),
        program(compile(model, samples, options)) {}
  ReportRequest request(const std::string& name) const {
    ReportRequest r{.name = name, .model = model, .program = program, .options = options};
    r.measure = false, r.samples = samples;
    return r;
  }
};

TEST(HtmlReport, NoNameBecomesMarkup) {
  if (!has_python()) GTEST_SKIP() << "needs python3";
  const std::string names[] = {"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>",
                               "</style></title>' onload='x", "a`b`<b>&amp;\xff\x01"};
  Graph graph;
  graph.file = "m", graph.name = names[0];
  int t = graph.add_input(names[1], {3, {8, 8, 2}});
  for (const std::string& name : names) {
    nnom::Conv2D conv;
    conv.out.c = 3, conv.kernel = {3, 3}, conv.stride = conv.dilation = {1, 1};
    conv.pad = {1, 1, 1, 1};
    const auto in = static_cast<std::size_t>(graph.shape(t).back());
    t = graph.add({.name = name,
                   .source = name,
                   .op = conv,
                   .inputs = {t},
                   .weights = std::vector<float>(27 * in, 0.1f),
                   .bias = {0, 0, 0.5f}});
    graph.tensors.back().name = name;
  }
  graph.outputs = {t};
  const Made made(std::move(graph));
  ReportRequest request = made.request(names[2]);
  request.calibration = names[0];
  Classification counts(HeapCounts(3, 1));
  const float scores[] = {0, 1, 0};
  counts.add(scores, 0);
  EvaluationReport evaluation;
  evaluation.samples = 1, evaluation.quality.counts = counts;
  request.evaluation = evaluation;
  request.classes = {names[0], names[1], names[3]};
  const std::string page = html_report(request);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find('\x01'), std::string::npos);
  EXPECT_EQ(page.find('\xff'), std::string::npos);
  const Json parts = parts_of(page);
  expect_sound(parts);
  for (const char* section : {"speed", "quality", "memory", "network", "ranges"})
    EXPECT_NE(parts["sections"][section].get<std::string>().find(names[0]), std::string::npos)
        << section;
}

TEST(HtmlReport, SaysWhenItIsForSizingOnly) {
  if (!has_python()) GTEST_SKIP() << "needs python3";
  const Made made(load_model(kExamples + "fashion_mnist/model.keras"));
  ReportRequest request = made.request("model");
  EXPECT_EQ(html_report(request).find("or sizing only"), std::string::npos);
  request.sizing_only = true, request.samples = {};
  const std::string page = html_report(request);
  EXPECT_NE(page.find("For sizing only, not for use"), std::string::npos);
  const Json parts = parts_of(page);
  expect_sound(parts);
  EXPECT_TRUE(parts["title"].get<std::string>().starts_with("FOR SIZING ONLY"));
  EXPECT_EQ(parts["sections"]["quality"].get<std::string>().find("SQNR"), std::string::npos);
}

TEST(HtmlReport, ShowsTheProgramsOwnFigures) {
  if (!has_python()) GTEST_SKIP() << "needs python3";
  const Made made(load_model(kExamples + "fashion_mnist/model.keras"));
  const Program& p = made.program;
  const std::string page = html_report(made.request("model"));
  const Json parts = parts_of(page);
  expect_sound(parts);
  const Json layers = table_of(parts, "Layers, by operations");
  ASSERT_EQ(layers.size(), p.graph.nodes.size() + 2);  // titles, total
  const std::vector<int> live = live_bytes(p);
  for (std::size_t i = 0; i < live.size(); ++i) {
    EXPECT_TRUE(layers[i + 1][0].get<std::string>().starts_with(p.graph.nodes[i].name));
    EXPECT_EQ(layers[i + 1].back(), count_text(live[i]));
  }
  EXPECT_EQ(layers.back().back(), count_text(p.plan.arena_bytes));
  const Json errors = table_of(parts, "Layers, on 8 samples");
  EXPECT_EQ(errors.size(), p.graph.nodes.size() + 1);
  const Json boards = table_of(parts, "Boards");
  EXPECT_EQ(boards.size(), all_hardware().size() + 1);
  EXPECT_EQ(html_report(made.request("model")), page) << "the same twice";
}

TEST(HtmlReport, ItsAdviceOnRamHoldsWhatItPromises) {
  const Made made(load_model(kExamples + "fashion_mnist/model.keras"));
  const std::string page = html_report(made.request("model"));
  std::smatch limit;
  ASSERT_TRUE(std::regex_search(page, limit, std::regex("--ram-limit ([0-9]+)")));
  CompileOptions options = made.options;
  options.limits.ram = std::stoi(limit[1]);
  EXPECT_LT(options.limits.ram, made.program.plan.arena_bytes);
  EXPECT_EQ(compile(made.model, made.samples, options).plan.arena_bytes, options.limits.ram);
}

TEST(HtmlReport, ReportsFloatAndQuantisedFilesWithoutSamples) {
  if (!has_python()) GTEST_SKIP() << "needs python3";
  const Graph graph = load_model(NNOM_SOURCE_DIR "/fuzz/corpus/tflite/CONV_2D-stride2.tflite");
  const CompileOptions options;
  const Program program = compile(graph, {}, options);
  ReportRequest request{.name = "conv", .model = graph, .program = program, .options = options};
  request.measure = false;
  expect_sound(parts_of(html_report(request)));
  request.board = "no-such-board";
  EXPECT_THROW(html_report(request), Error);
}

/// Cycles and times against `nnom evaluate`, which runs on noise instead of a sample.
TEST(HtmlReport, ShowsWhatWasMeasured) {
  const Board board = find_board("cortex-m4");
  if (!has_python() || find_program(board.compiler).empty() || find_program(board.emulator).empty())
    GTEST_SKIP() << "needs python3, " << board.compiler << " and " << board.emulator;
  const Made made(load_model(kExamples + "fashion_mnist/model.keras"));
  ReportRequest request = made.request("model");
  request.measure = true;
  const Json parts = parts_of(html_report(request));
  expect_sound(parts);
  const Outcome evaluated =
      run_command({{NNOM_BINARY, "evaluate", kExamples + "fashion_mnist/model.keras", "--calibrate",
                    "random", "--on", "cortex-m4", "--json", "-"}});
  const Json figures = Json::parse(evaluated.output);
  if (figures["cycles"].is_null()) GTEST_SKIP() << "needs an emulator that counts";
  const Json layers = table_of(parts, "Layers, at 64 MHz");
  const auto value = [](const Json& cell) {
    std::string text = cell;
    std::erase(text, ',');
    return std::stod(text);
  };
  const Json& titles = layers[0];
  const auto column = [&](const std::string& title) {
    std::size_t i = 0;
    while (i < titles.size() && titles[i] != title) ++i;
    return i;
  };
  const std::size_t cycles = column("Cycles"), time = column("Time, ms");
  ASSERT_EQ(layers.size(), figures["layers"].size() + 2);
  for (std::size_t i = 0; i < figures["layers"].size(); ++i) {
    const double expected = figures["layers"][i]["cycles"], shown = value(layers[i + 1][cycles]);
    EXPECT_NEAR(shown, expected, 0.1 * expected) << layers[i + 1];
    EXPECT_NEAR(value(layers[i + 1][time]), shown / 64e3, 0.01) << layers[i + 1];
  }
  const double total = figures["cycles"];
  EXPECT_NEAR(value(layers.back()[cycles]), total, 0.02 * total);
}

Outcome nnom_report(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{NNOM_BINARY, "report", kExamples + "fashion_mnist/model.keras"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_command({all});
}

TEST(ReportCommand, LeavesNothingBehindWhereItFails) {
  const TempFolder folder;
  const std::string page = folder / "report.html", data = kExamples + "fashion_mnist/";
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const std::string calibration = data + "calibration.npy";
  const Case cases[] = {
      {{"--board", "z80"}, "there is no board 'z80'; there are nano-33-ble"},
      {{"--board", "pico", "--on", "cortex-m4"}, "the core of --board pico is a cortex-m0plus"},
      {{"--labels", "y.npy"}, "--data"},
      {{"--data", data + "test_images.npy", "--labels", calibration, "--on", "host"},
       "calibration.npy"},
  };
  for (const Case& c : cases) {
    std::vector<std::string> all = c.arguments;
    all.insert(all.end(), {"--calibrate", calibration, "--scale", "1/255", "-o", page});
    const Outcome outcome = nnom_report(all);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.errors.find(c.message), std::string::npos) << outcome.errors;
    EXPECT_EQ(folder.count(), 0);
  }
}

/// Accuracy and confusions are those of `nnom evaluate`, which counts them for itself.
TEST(ReportCommand, ShowsAccuracyAndConfusions) {
  if (!has_python()) GTEST_SKIP() << "needs python3";
  const TempFolder folder;
  const std::string page = folder / "report.html", data = kExamples + "fashion_mnist/";
  const std::vector<std::string> common = {
      "--calibrate", data + "calibration.npy", "--scale",  "1/255",
      "--data",      data + "test_images.npy", "--labels", data + "test_labels.npy"};
  std::vector<std::string> all = common;
  all.insert(all.end(),
             {"--on", "host", "--target", "cortex-m4", "--classes",
              "shirt,trousers,pullover,dress,coat,sandal,top,trainer,bag,boot", "-o", page});
  const Outcome outcome = nnom_report(all);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  std::vector<std::string> evaluate{NNOM_BINARY, "evaluate", data + "model.keras",
                                    "--json",    "-",        "--with-float"};
  evaluate.insert(evaluate.end(), common.begin(), common.end());
  const Json figures = Json::parse(run_command({evaluate}).output);
  const auto bytes = read_file(page);
  const Json parts = parts_of(std::string(as_text(bytes)));
  expect_sound(parts);
  const auto right = static_cast<int>(500 * figures["top1"].get<double>() + 0.5);
  const Json accuracy = table_of(parts, "Accuracy on 500 samples");
  EXPECT_NE(accuracy[1][1].get<std::string>().find(fmt::format(" {} of 500", right)),
            std::string::npos)
      << accuracy;
  const Json matrix = table_of(parts, "Confusions");
  ASSERT_EQ(matrix.size(), 11u);
  int all_samples = 0, diagonal = 0;
  for (std::size_t r = 0; r < 10; ++r)
    for (std::size_t c = 0; c < 10; ++c) {
      const std::string cell = matrix[r + 1][c + 1];
      const int count = cell.empty() ? 0 : std::stoi(cell);
      all_samples += count, diagonal += r == c ? count : 0;
    }
  EXPECT_EQ(all_samples, 500);
  EXPECT_EQ(diagonal, right);
  EXPECT_EQ(matrix[10][0], "boot");
}

}  // namespace
}  // namespace nnomc
