#include <fmt/format.h>

#include <algorithm>

#include "compiler/report/html/sections.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

constexpr double kHeight = 340, kBelow = 104, kColumn = 30;  // of the plot, in pixels
constexpr double kUsual = 880;                               // how wide it mostly is

std::string name_of(const Facts& f, const Piece& p) {
  const Graph& g = f.graph();
  const auto of = static_cast<std::size_t>(p.of);
  switch (p.kind) {
    case Piece::Kind::scratch:
      return "scratch of " + g.nodes[of].name;
    case Piece::Kind::state:
      return "state of " + g.nodes[of].name;
    case Piece::Kind::tensor:
      break;
  }
  const int producer = g.producer(p.of);
  const std::string& name =
      producer < 0 ? g.tensors[of].name : g.nodes[static_cast<std::size_t>(producer)].name;
  return (producer >= 0 ? "" : g.is_variable(p.of) ? "variable " : "input ") + name;
}

const char* kind_of(const Facts& f, const Piece& p) {
  if (p.kind != Piece::Kind::tensor) return p.kind == Piece::Kind::scratch ? "scratch" : "state";
  if (f.graph().is_variable(p.of)) return "state";
  return f.graph().producer(p.of) < 0 || f.graph().is_output(p.of) ? "end" : "tensor";
}

/// The layers that have a column, and where they stand.
class Columns {
 public:
  explicit Columns(const Facts& f) : facts_(f) {
    for (std::size_t i = 0; i < f.graph().nodes.size(); ++i) {
      before_.push_back(count_);
      count_ += f.works(i);
    }
  }
  int count() const { return count_; }
  int begin(int node) const { return before_[static_cast<std::size_t>(node)]; }
  int end(int node) const {
    const auto n = static_cast<std::size_t>(node);
    return n >= before_.size() ? count_ : before_[n] + facts_.works(n);
  }
  /// A place between the columns, as a share of the width.
  std::string place(double column) const { return number(100 * column / count_) + "%"; }

 private:
  const Facts& facts_;
  std::vector<int> before_;
  int count_ = 0;
};

double height_of(const Facts& f, double bytes) {
  return kHeight * bytes / f.program().plan.arena_bytes;
}

std::string life_text(const Facts& f, const Piece& p) {
  const auto& nodes = f.graph().nodes;
  const auto last = static_cast<std::size_t>(p.last);
  const std::string& from = nodes[static_cast<std::size_t>(p.first)].name;
  if (last >= nodes.size()) return "from " + from + " to the end";
  return p.first == p.last ? "while " + from + " runs" : "from " + from + " to " + nodes[last].name;
}

Html piece(const Facts& f, const Columns& columns, const Piece& p) {
  const int begin = columns.begin(p.first), end = columns.end(p.last);
  if (begin >= end) return {};
  const double height = height_of(f, p.bytes), top = kHeight - height_of(f, p.begin) - height;
  const std::string x = columns.place(begin), width = columns.place(end - begin);
  const std::string name = name_of(f, p);
  Html html = tag("title", fmt::format("{}\n{} at {}\n{}", name, bytes_text(p.bytes),
                                       count_text(p.begin), life_text(f, p))) +
              tag("rect", {{"x", x},
                           {"y", number(top)},
                           {"width", width},
                           {"height", number(std::max(height, 1.0))}});
  return tag("g", {{"class", fmt::format("piece {}", kind_of(f, p))}}, html);
}

/// The name of a piece, over all pieces. Where it would be cut off on most screens it is left out.
Html label(const Facts& f, const Columns& columns, const Piece& p) {
  const int begin = columns.begin(p.first), end = columns.end(p.last);
  const double height = height_of(f, p.bytes), top = kHeight - height_of(f, p.begin) - height;
  const double room = std::max(kColumn, kUsual / columns.count()) * (end - begin);
  const std::string name = name_of(f, p);
  if (height < 17 || room < 10 + 6.3 * static_cast<double>(width_of(name))) return {};
  return tag("svg",
             {{"class", "label"},
              {"x", columns.place(begin)},
              {"y", number(top)},
              {"width", columns.place(end - begin)},
              {"height", number(height)}},
             tag("text", {{"x", "6"}, {"y", number(height > 44 ? height / 2 + 4 : 13)}}, name));
}

Html picture(const Facts& f, const Columns& columns) {
  Html html, axis;
  const int arena = f.program().plan.arena_bytes;
  int step = 16;
  while (arena / step > 6) step *= 2;
  for (int address = 0; address <= arena; address += step) {
    const double y = kHeight - height_of(f, address);
    axis += tag("text",
                {{"class", "muted"}, {"x", "58"}, {"y", number(y + 12)}, {"text-anchor", "end"}},
                size_text(address));
    html +=
        tag("line",
            {{"class", "axis"}, {"x1", "0"}, {"x2", "100%"}, {"y1", number(y)}, {"y2", number(y)}});
  }
  std::vector<Piece> pieces = f.pieces;  // the smaller ones over the larger
  std::ranges::stable_sort(pieces, std::ranges::greater{}, [](const Piece& p) {
    return std::int64_t{p.bytes} * (p.last - p.first + 1);
  });
  for (const Piece& p : pieces) html += piece(f, columns, p);
  for (const Piece& p : pieces) html += label(f, columns, p);
  for (std::size_t i = 0; i < f.graph().nodes.size(); ++i) {
    if (!f.works(i)) continue;
    const double middle = columns.begin(static_cast<int>(i)) + 0.5;
    html += tag("svg",
                {{"x", columns.place(middle)},
                 {"y", number(kHeight + 8)},
                 {"overflow", "visible"},
                 {"width", "1"},
                 {"height", "1"}},
                tag("text",
                    {{"class", i == f.peak ? "peaktext" : "muted"},
                     {"text-anchor", "start"},
                     {"transform", "translate(-2 6) rotate(50)"}},
                    shortened(f.graph().nodes[i].name, 17)));
  }
  const int peak = columns.begin(static_cast<int>(f.peak));
  html += tag("rect", {{"class", "peak"},
                       {"x", columns.place(peak)},
                       {"y", "1"},
                       {"width", columns.place(1)},
                       {"height", number(kHeight - 1)}});
  const std::string label =
      fmt::format("The arena of {} over {} layers; the peak is at {}", bytes_text(arena),
                  columns.count(), f.graph().nodes[f.peak].name);
  const Html plot = drawing({{"height", number(kHeight + kBelow)},
                             {"style", fmt::format("width:calc(100% - 56px);min-width:{}px",
                                                   number(kColumn * columns.count()))}},
                            label, html);
  return tag(
      "div", {{"class", "plot"}},
      tag("svg",
          {{"width", "66"},
           {"height", number(kHeight + kBelow)},
           {"aria-hidden", "true"},
           {"style", "margin-top:-8px;flex:none"}},
          axis) +
          tag("div",
              {{"class", "scroll"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", "Arena"}},
              plot));
}

Html at_the_peak(const Facts& f) {
  HtmlTable table("In the arena while " + f.graph().nodes[f.peak].name + " runs",
                  {{"What", false}, {"Bytes"}, {"Address"}, {"Needed", false}});
  std::vector<Piece> there;
  for (const Piece& p : f.pieces)
    if (p.first <= static_cast<int>(f.peak) && static_cast<int>(f.peak) <= p.last)
      there.push_back(p);
  std::ranges::stable_sort(there, std::ranges::greater{}, &Piece::bytes);
  std::int64_t sum = 0;
  for (const Piece& p : there) {
    table.row({{name_of(f, p)}, {count_text(p.bytes)}, {count_text(p.begin)}, {life_text(f, p)}});
    sum += p.bytes;
  }
  const std::int64_t saved = sum - f.live[f.peak];
  table.total(
      {{saved > 0 ? fmt::format("together, {} of it shared", bytes_text(saved)) : "together"},
       {count_text(f.live[f.peak])}});
  return table.html();
}

}  // namespace

Html memory_section(const Facts& f) {
  if (f.graph().nodes.empty()) return section("memory", "Where the memory goes", {}, {});
  const Columns columns(f);
  const Plan& plan = f.program().plan;
  Html lead = Html("The arena takes ") + bytes_text(plan.arena_bytes) + "; the most, " +
              bytes_text(f.live[f.peak]) + ", is in use at " +
              tag("b", f.graph().nodes[f.peak].name) + ".";
  if (plan.in_turns > 0)
    lead += Html(
        fmt::format(" The first {} run row by row, in turns.", counted(plan.in_turns, "layer")));
  return section(
      "memory", "Where the memory goes", lead,
      tag("figure",
          legend({{"tensor", "a layer's output"},
                  {"end", "the model's inputs and outputs"},
                  {"scratch", "scratch"},
                  {"state", "kept between runs"},
                  {"peakkey", "the peak"}}) +
              picture(f, columns) +
              tag("figcaption",
                  "From left to right the layers as they run, upwards the addresses of the arena. "
                  "Where two pieces overlap, a layer writes over an input that nobody needs any "
                  "more. Point at a piece, or tap it.")) +
          at_the_peak(f));
}

}  // namespace nnomc
