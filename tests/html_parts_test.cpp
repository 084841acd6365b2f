// What the page of `nnom report` is put together from: text that can't be markup, boards, the
// layout of graphs, the pieces of an arena.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/measure/memory.hpp"
#include "compiler/report/html/hardware.hpp"
#include "compiler/report/html/html.hpp"
#include "compiler/report/html/layout.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

const std::string kExamples = NNOM_SOURCE_DIR "/examples/";

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
    const Graph model = load_model(kExamples + c.model);
    const Program program = compile(model, Samples::synthetic(model, 2), options);
    const std::vector<Piece> pieces = pieces_of(program);
    int most = 0;
    for (const Piece& p : pieces) {
      EXPECT_GE(p.begin, 0);
      EXPECT_LE(p.begin + p.bytes, program.plan.arena_bytes);
      EXPECT_LE(p.first, p.last);
      most = std::max(most, p.begin + p.bytes);
    }
    EXPECT_GT(most, program.plan.arena_bytes - 16);  // but for alignment
    if (program.plan.in_turns) continue;             // they hand over row by row
    for (const Piece& a : pieces)
      for (const Piece& b : pieces) {
        const bool together = a.first <= b.last && b.first <= a.last;
        const bool overlap = a.begin < b.begin + b.bytes && b.begin < a.begin + a.bytes;
        if (&a == &b || !together || !overlap) continue;
        EXPECT_TRUE(a.last == b.first || b.last == a.first) << a.of << " and " << b.of;
      }
    // Whatever a node reads or writes is there while it runs.
    const Graph& g = program.graph;
    for (int i = 0; i < static_cast<int>(g.nodes.size()); ++i) {
      const Node& node = g.nodes[static_cast<std::size_t>(i)];
      std::vector<int> used = node.inputs;
      used.push_back(node.output);
      for (const int t : used) {
        const int begin = program.plan.tensor[static_cast<std::size_t>(t)];
        const int end = begin + tensor_bytes(g, t, program.numbers);
        EXPECT_TRUE(std::ranges::any_of(pieces,
                                        [&](const Piece& p) {
                                          return p.kind == Piece::Kind::tensor &&
                                                 p.begin <= begin && end <= p.begin + p.bytes &&
                                                 p.first <= i && i <= p.last;
                                        }))
            << node.name << ", tensor " << t;
      }
    }
    const std::vector<int> live = live_bytes(program);
    EXPECT_LE(*std::ranges::max_element(live), program.plan.arena_bytes);
  }
}

}  // namespace
}  // namespace nnomc
