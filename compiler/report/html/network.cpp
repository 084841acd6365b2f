#include <fmt/format.h>

#include <algorithm>

#include "compiler/report/html/layout.hpp"
#include "compiler/report/html/sections.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

constexpr double kWidth = 176, kHeight = 68, kPill = 42, kRank = 94, kMargin = 12;
constexpr std::size_t kShort = 14;  // layers that are shown without scrolling

/// A box: a layer, or an end of the network.
struct Vertex {
  std::string title, text, shape, hint;
  int node = -1;  // of the graph; -1: an input or output
};

struct Drawing {
  std::vector<Vertex> vertices;
  std::vector<std::pair<int, int>> edges;
};

Drawing drawing_of(const Facts& f) {
  const Graph& g = f.graph();
  Drawing d;
  std::vector<int> maker(g.tensors.size(), -1);  // vertex of each tensor
  for (int t = 0; t < static_cast<int>(g.tensors.size()); ++t) {
    if (g.producer(t) >= 0) continue;
    const std::string what = g.is_variable(t) ? "variable" : "input";
    maker[static_cast<std::size_t>(t)] = static_cast<int>(d.vertices.size());
    const std::string& name = g.tensors[static_cast<std::size_t>(t)].name;
    const std::string shape = to_string(g.shape(t));
    d.vertices.push_back({name, what, shape, what + " " + name + "\n" + shape});
  }
  const auto connect = [&](int tensor, int to) {
    d.edges.emplace_back(maker[static_cast<std::size_t>(tensor)], to);
  };
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const Node& node = g.nodes[i];
    const int vertex = static_cast<int>(d.vertices.size());
    std::string hint = fmt::format("{} ({})\n{}, output {}", node.name, node.source, op_text(node),
                                   to_string(g.shape(node.output)));
    if (f.works(i))
      hint +=
          fmt::format("\n{} parameters, {} operations",
                      count_text(static_cast<std::int64_t>(node.weights.size() + node.bias.size())),
                      count_text(f.operations(i)));
    if (f.work() > 0 && f.works(i))
      hint += "\n" + percent_text(f.work(i) / f.work(), 1) + " of the time";
    d.vertices.push_back(
        {node.name, op_text(node), to_string(g.shape(node.output)), hint, static_cast<int>(i)});
    for (const int t : node.inputs) connect(t, vertex);
    maker[static_cast<std::size_t>(node.output)] = vertex;
  }
  for (const int t : g.outputs) {
    const int vertex = static_cast<int>(d.vertices.size());
    const std::string& name = g.tensors[static_cast<std::size_t>(t)].name;
    const std::string shape = to_string(g.shape(t));
    d.vertices.push_back({name, "output", shape, "output " + name + "\n" + shape});
    connect(t, vertex);
  }
  return d;
}

/// A line through `points`, as a smooth curve from each to the next.
std::string path_through(const std::vector<std::pair<double, double>>& points) {
  std::string path = fmt::format("M{} {}", number(points[0].first), number(points[0].second));
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto [x0, y0] = points[i - 1];
    const auto [x1, y1] = points[i];
    const double middle = (y0 + y1) / 2;
    path += x0 == x1 ? fmt::format("V{}", number(y1))
                     : fmt::format("C{} {} {} {} {} {}", number(x0), number(middle), number(x1),
                                   number(middle), number(x1), number(y1));
  }
  return path;
}

Html text_at(double x, double y, const char* kind, const std::string& text) {
  return tag("text",
             {{"x", number(x)}, {"y", number(y)}, {"text-anchor", "middle"}, {"class", kind}},
             text);
}

Html box(const Facts& f, const Vertex& v, double x, double top) {
  const double left = x - kWidth / 2;
  const auto rect = [&](const char* kind, double width, double y, double height, double round) {
    return tag("rect", {{"class", kind},
                        {"x", number(left)},
                        {"y", number(y)},
                        {"width", number(width)},
                        {"height", number(height)},
                        {"rx", number(round)}});
  };
  Html html = tag("title", v.hint);
  if (v.node < 0) {
    html += rect("box", kWidth, top + (kHeight - kPill) / 2, kPill, kPill / 2) +
            text_at(x, top + kHeight / 2 - 3, "title", shortened(v.text + " " + v.title, 24)) +
            text_at(x, top + kHeight / 2 + 12, "muted", v.shape);
    return tag("g", {{"class", "node outer"}}, html);
  }
  html += rect("box", kWidth, top, kHeight, 6);
  const auto node = static_cast<std::size_t>(v.node);
  const double share = f.work() > 0 ? f.work(node) / f.work() : 0;
  if (share > 0.001) html += rect("share", std::max(3.0, share * kWidth), top + kHeight - 4, 4, 2);
  html += text_at(x, top + 20, "title", shortened(v.title, 25)) +
          text_at(x, top + 37, "muted", shortened(v.text, 28)) +
          text_at(x, top + 54, "muted", v.shape);
  return tag("g", {{"class", "node"}}, html);
}

Html picture(const Facts& f) {
  const Drawing d = drawing_of(f);
  const Placement p = lay_out(static_cast<int>(d.vertices.size()), d.edges, {kWidth, 16, 8});
  const auto top = [&](int rank) { return kMargin + kRank * rank; };
  const auto is_end = [&](int v) { return d.vertices[static_cast<std::size_t>(v)].node < 0; };
  const double inset = (kHeight - kPill) / 2;
  Html html;
  for (std::size_t e = 0; e < d.edges.size(); ++e) {
    const auto [from, to] = d.edges[e];
    const auto a = static_cast<std::size_t>(from), b = static_cast<std::size_t>(to);
    std::vector<std::pair<double, double>> points;
    points.emplace_back(p.x[a] + kMargin, top(p.rank[a]) + kHeight - (is_end(from) ? inset : 0));
    for (std::size_t i = 0; i < p.bends[e].size(); ++i) {
      const double y = top(p.rank[a] + 1 + static_cast<int>(i));
      points.emplace_back(p.bends[e][i] + kMargin, y);
      points.emplace_back(p.bends[e][i] + kMargin, y + kHeight);
    }
    points.emplace_back(p.x[b] + kMargin, top(p.rank[b]) + (is_end(to) ? inset : 0) - 5);
    const auto [x, y] = points.back();
    html += tag("path", {{"class", "edge"}, {"d", path_through(points)}}) +
            tag("path", {{"class", "arrow"},
                         {"d", fmt::format("M{} {}l-4 -6h8z", number(x), number(y + 5))}});
  }
  for (std::size_t v = 0; v < d.vertices.size(); ++v)
    html += box(f, d.vertices[v], p.x[v] + kMargin, top(p.rank[v]));
  const double width = p.width + 2 * kMargin, height = kMargin + kRank * p.ranks;
  return drawing({{"width", number(width)}, {"height", number(height)}},
                 fmt::format("The network: {}, from its inputs above to its outputs below",
                             counted(f.graph().nodes.size(), "layer")),
                 html);
}

}  // namespace

Html network_section(const Facts& f) {
  const Graph& g = f.graph();
  const std::string lead = fmt::format(
      "{} as the compiler runs them: activations and normalisation are folded into the "
      "layers before them, and dropped where they do nothing.",
      counted(g.nodes.size(), "layer"));
  const std::string bars = f.work() > 0 ? " The bar below a layer is its share of the time." : "";
  return section(
      "network", "The network", lead,
      tag("figure",
          tag("div",
              {{"class", f.graph().nodes.size() > kShort ? "graph tall" : "graph"},
               {"tabindex", "0"},
               {"role", "region"},
               {"aria-label", "Network"}},
              picture(f)) +
              tag("figcaption", "On each layer: what it computes, and the shape of its output." +
                                    bars + " Point at a layer, or tap it.")));
}

}  // namespace nnomc
