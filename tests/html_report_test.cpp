// The page of `nnom report`: what it is made of, as Python's own parser reads it (page_parts.py).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/file.hpp"
#include "compiler/measure/memory.hpp"
#include "compiler/report/html/hardware.hpp"
#include "compiler/report/html/html.hpp"
#include "compiler/report/html/layout.hpp"
#include "compiler/report/html/report.hpp"
#include "compiler/report/table.hpp"
#include "tests/random_layers.hpp"
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

TEST(Html, EscapesAllButWhatIsHtml) {
  EXPECT_EQ(escaped("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escaped("grün €"), "grün €");
  const std::string replaced = "\xef\xbf\xbd";
  EXPECT_EQ(escaped(std::string("\0\x1b", 2)), replaced + replaced);
  EXPECT_EQ(escaped("\xff"
                    "a"),
            replaced + "a");                                           // no such byte
  EXPECT_EQ(escaped("\xc0\xbc"), replaced + replaced);                 // '<', longer than it may be
  EXPECT_EQ(escaped("\xed\xa0\x80"), replaced + replaced + replaced);  // half of a pair
  EXPECT_EQ(escaped("\xe2\x82"), replaced + replaced);                 // cut off
  EXPECT_EQ(tag("b", {{"title", "\"><i>"}}, "<x>").markup(),
            "<b title=\"&quot;&gt;&lt;i&gt;\">&lt;x&gt;</b>");
  EXPECT_EQ(prose("`--x <y>` & z").markup(), "<code class=\"option\">--x &lt;y&gt;</code> &amp; z");
}

TEST(Html, Numbers) {
  EXPECT_EQ(number(12), "12");
  EXPECT_EQ(number(12.504), "12.5");
  EXPECT_EQ(number(-0.001), "0");
  EXPECT_EQ(size_text(1023), "1023\u00a0B");
  EXPECT_EQ(size_text(12928), "12.6\u00a0KB");
  EXPECT_EQ(size_text(1024 * 1024), "1\u00a0MB");
  EXPECT_EQ(size_text(1500 * 1024), "1.46\u00a0MB");
}

TEST(Hardware, IsOfKnownCoresAndHasNoNameTwice) {
  const std::vector<std::string> cores = core_names();
  std::set<std::string> names, seen;
  for (const Hardware& h : all_hardware()) {
    SCOPED_TRACE(h.name);
    EXPECT_TRUE(names.insert(h.name).second);
    EXPECT_NE(std::ranges::find(cores, h.core), cores.end()) << h.core;
    seen.insert(h.core);
    EXPECT_GE(h.ram_bytes, 8 * 1024);
    EXPECT_GE(h.flash_bytes, 2 * h.ram_bytes);
    EXPECT_GE(h.clock_hz, 8e6);
    EXPECT_LE(h.clock_hz, 1e9);
  }
  EXPECT_EQ(seen.size(), cores.size()) << "a core has no board";
  EXPECT_EQ(find_hardware(Hardware::usual).core, "cortex-m4");
  EXPECT_THROW(find_hardware("z80"), Error);
}

TEST(Layout, GoesDownWithoutOverlaps) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    const int count = random.whole(1, 24);
    std::vector<std::pair<int, int>> edges;
    for (int v = 1; v < count; ++v)
      for (int k = random.whole(0, 3); k > 0; --k) edges.emplace_back(random.whole(0, v - 1), v);
    const Spacing size{100, 10, 6};
    const Placement p = lay_out(count, edges, size);
    ASSERT_EQ(p.x.size(), static_cast<std::size_t>(count));
    std::vector<std::vector<std::pair<double, double>>> rows(static_cast<std::size_t>(p.ranks));
    const auto put = [&](int rank, double x, double width) {
      ASSERT_TRUE(rank >= 0 && rank < p.ranks);
      EXPECT_GE(x - width / 2, -1e-6);
      EXPECT_LE(x + width / 2, p.width + 1e-6);
      rows[static_cast<std::size_t>(rank)].emplace_back(x - width / 2, x + width / 2);
    };
    for (std::size_t v = 0; v < p.x.size(); ++v) put(p.rank[v], p.x[v], size.width);
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const int from = p.rank[static_cast<std::size_t>(edges[e].first)],
                to = p.rank[static_cast<std::size_t>(edges[e].second)];
      EXPECT_LT(from, to);
      ASSERT_EQ(p.bends[e].size(), static_cast<std::size_t>(to - from - 1));
      for (int r = from + 1; r < to; ++r)
        put(r, p.bends[e][static_cast<std::size_t>(r - from - 1)], size.thread);
    }
    for (auto& row : rows) {
      std::ranges::sort(row);
      for (std::size_t i = 1; i < row.size(); ++i)
        EXPECT_GE(row[i].first - row[i - 1].second, size.gap - 1e-6);
    }
  }
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

TEST(Pieces, ShareBytesOnlyWhereOneTakesOver) {
  struct Case {
    const char* model;
    int limit;
  };
  for (const Case& c :
       {Case{"structures/inception.keras", 0}, Case{"structures/densenet.keras", 0},
        Case{"structures/resnet.keras", 0}, Case{"human_activity/gru.keras", 0},
        Case{"fashion_mnist/model.keras", 0}, Case{"fashion_mnist/model.keras", 9000}}) {
    SCOPED_TRACE(c.model);
    CompileOptions options{.target = "cortex-m4", .calibration = Calibration::min_max};
    options.limits.ram = c.limit;
    const Made made(load_model(kExamples + c.model), options);
    const std::vector<Piece> pieces = pieces_of(made.program);
    int most = 0;
    for (const Piece& p : pieces) {
      EXPECT_GE(p.begin, 0);
      EXPECT_LE(p.begin + p.bytes, made.program.plan.arena_bytes);
      EXPECT_LE(p.first, p.last);
      most = std::max(most, p.begin + p.bytes);
    }
    EXPECT_GT(most, made.program.plan.arena_bytes - 16);  // but for alignment
    if (made.program.plan.in_turns) continue;             // they hand over row by row
    for (const Piece& a : pieces)
      for (const Piece& b : pieces) {
        const bool together = a.first <= b.last && b.first <= a.last;
        const bool overlap = a.begin < b.begin + b.bytes && b.begin < a.begin + a.bytes;
        if (&a == &b || !together || !overlap) continue;
        EXPECT_TRUE(a.last == b.first || b.last == a.first) << a.of << " and " << b.of;
      }
    const std::vector<int> live = live_bytes(made.program);
    EXPECT_LE(*std::ranges::max_element(live), made.program.plan.arena_bytes);
  }
}

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
