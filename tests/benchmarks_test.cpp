// The recorded figures of `make bench`: that they are of today's models and cores, and that the
// tables of docs/benchmarks.md are made from them. What was measured is not measured again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "bench/tables.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/io/file.hpp"
#include "tests/documents.hpp"

namespace nnomc::bench {
namespace {

using testing::HasSubstr;

TEST(Benchmarks, EveryModelIsRecordedOnEveryCore) {
  std::set<std::string> wanted, found;
  for (const Model& m : read_models())
    for (const std::string& core : core_names())
      for (const std::string& level : levels()) wanted.insert(m.name + " " + core + " " + level);
  for (const bench::Run& r : read_runs()) found.insert(r.key());
  EXPECT_EQ(found, wanted) << "run `make bench`, or with BENCH=\"--cores CORE\" what is missing";
}

TEST(Benchmarks, PartsAddUp) {
  for (const bench::Run& r : read_runs()) {
    SCOPED_TRACE(r.key());
    std::int64_t macs = 0, instructions = 0, of_functions = 0;
    for (const Part& p : r.layers) macs += p.macs, instructions += p.instructions;
    for (const Part& p : r.functions) of_functions += p.instructions;
    EXPECT_EQ(macs, r.macs);
    // The observer that tells layers apart costs a little; functions below 1 % are left out.
    EXPECT_NEAR(static_cast<double>(instructions) / static_cast<double>(r.instructions), 1, 0.02);
    EXPECT_LE(of_functions, r.instructions);
    EXPECT_GE(of_functions * 10, r.instructions * 8);
    EXPECT_EQ(r.cycles.has_value(), !find_board(r.core).cycle_model.empty());
    for (const std::int64_t bytes : {r.arena, r.stack, r.weights, r.code}) EXPECT_GT(bytes, 0);
  }
}

TEST(Benchmarks, ModelsOfTheProjectAreThere) {
  for (const Model& m : read_models()) {
    EXPECT_FALSE(m.file.starts_with('/')) << m.name;
    if (!m.from.starts_with("examples/")) continue;
    EXPECT_TRUE(m.file.starts_with(m.from) && !read_file(in_project(m.file)).empty()) << m.name;
  }
}

TEST(Benchmarks, GoalsAreOfWhatIsMeasured) {
  const std::vector<bench::Run> runs = read_runs();
  for (const Goal& g : read_goals())
    EXPECT_TRUE(figure_of(g, runs)) << g.model << " on " << g.core << ": " << g.figure;
}

TEST(Benchmarks, TheDocumentHasTheTables) {
  const std::string path = in_project("docs/benchmarks.md");
  const std::string text(as_text(read_file(path)));
  const std::string now = with_tables(text, read_figures());
  if (is_updating()) return write_file(path, now);
  EXPECT_EQ(text, now) << "build/bench/nnom_bench --tables makes them anew";
}

Figures small_figures() {
  bench::Run r;
  r.model = "kws", r.core = "cortex-m4", r.optimise = "speed", r.commit = "abc+";
  r.macs = 1000, r.instructions = 2000, r.cycles = 3000;
  r.arena = 100, r.code = 50;
  r.layers = {{"conv", "Conv2D", 1000, 1990, 2980}};
  return {{{"kws", "Keywords", "", "", {}}},
          {r},
          {{"kws", "cortex-m4", "speed", "cycles", 2000, 6000}},
          {{"abc", "2026-01-01", {{r.key(), {1900, 2900, 101, 50}}}}}};
}

TEST(BenchmarkTables, StandBetweenTheirMarks) {
  const std::string made =
      with_tables("a\n<!-- table goals -->\nold\n<!-- end -->\nb\n", small_figures());
  EXPECT_THAT(made, HasSubstr("a\n<!-- table goals -->\n\n| Model"));
  EXPECT_THAT(made, HasSubstr("| 2,000 | 3,000 | no | 6,000 | 0.50 |\n\n<!-- end -->\nb\n"));
  EXPECT_EQ(with_tables(made, small_figures()), made);
  const std::string layers =
      with_tables("<!-- table layers kws cortex-m4 speed -->\n<!-- end -->", small_figures());
  EXPECT_THAT(layers, HasSubstr("| `conv` | Conv2D | 1,000 | 1,990 | 2,980 | 2.98 | 99.3 % |"));
}

TEST(BenchmarkTables, RefuseWhatIsUnknown) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      with_tables(text, small_figures());
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("<!-- table nothing -->\n<!-- end -->"), HasSubstr("'nothing'"));
  EXPECT_THAT(message("<!-- table goals -->\n"), HasSubstr("has no '<!-- end -->'"));
  EXPECT_THAT(message("<!-- table layers ic cortex-m4 speed -->\n<!-- end -->"),
              HasSubstr("nothing was measured"));
}

TEST(BenchmarkTables, ShowTheChange) {
  const Figures f = small_figures();
  EXPECT_THAT(terminal_table(f.runs, f.history, 200), HasSubstr("+3.45 %"));
  EXPECT_THAT(terminal_table(f.runs, f.history, 200), HasSubstr("-0.99 %"));
  const std::string worse = regressions(f.runs, f.history);
  EXPECT_EQ(worse, "  kws on cortex-m4 for speed: cost 3,000, was 2,900 (+3.45 %)\n");
  EXPECT_THAT(goals_text(f.goals, f.runs), HasSubstr("Goals met: 0 of 1"));
  // A commit isn't compared with itself.
  EXPECT_EQ(last_costs(f.history, f.runs[0].key(), "abc"), nullptr);
}

TEST(BenchmarkTables, FunctionsHaveShortNames) {
  EXPECT_EQ(short_name("void nnom::run_layer<nnom::target::Dsp, nnom::Conv2D, "
                       "nnom::Linear<nnom::Int8<nnom::Double, nnom::layout::Dsp> > >(nnom::Conv2D "
                       "const&) [clone .isra.0]"),
            "run_layer<target::Dsp, Conv2D, Linear>");
  EXPECT_EQ(short_name("model::(anonymous namespace)::run(int)"), "model::run");
  EXPECT_EQ(short_name("__aeabi_idiv"), "__aeabi_idiv");
}

}  // namespace
}  // namespace nnomc::bench
