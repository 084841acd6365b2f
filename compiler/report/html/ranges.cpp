#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/report/html/sections.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

constexpr std::size_t kBins = 96;  // of a drawing
constexpr std::size_t kOpen = 12;  // cards that are shown at once
constexpr double kHeight = 64;

std::string limits_text(const Limits& l) {
  return real_text(static_cast<double>(l.lo)) + " to " + real_text(static_cast<double>(l.hi));
}

/// Bars as high as the logarithm of the counts, so that single values show beside millions; in a
/// box of kBins x 100.
std::string bars(const Histogram& h) {
  std::vector<double> counts(kBins);
  for (std::size_t i = 0; i < Histogram::bins; ++i)
    counts[i * kBins / Histogram::bins] += static_cast<double>(h.counts()[i]);
  const double most = std::log1p(*std::ranges::max_element(counts));
  std::string path = "M0 100";
  for (const double c : counts)
    path += fmt::format("V{:.0f}h1", most > 0 ? 100 - 97 * std::log1p(c) / most : 100);
  return path + "V100z";
}

struct Mark {
  const char* kind;
  float at;
};

/// A histogram over an axis that holds all of its values, and the marks; `held` is what int8 can
/// say.
Html histogram(const Histogram& h, const Limits& held, const std::vector<Mark>& marks,
               const std::string& label) {
  Limits axis = h.limits();
  for (const Mark& m : marks) axis = {std::min(axis.lo, m.at), std::max(axis.hi, m.at)};
  const double width = axis.width() > 0 ? axis.width() : 1;
  const auto place = [&](float v) {
    return 100 * (static_cast<double>(v) - static_cast<double>(axis.lo)) / width;
  };
  const auto percent = [](double v) { return number(v) + "%"; };
  const auto shade = [&](double from, double to) {
    return to - from < 0.05 ? Html()
                            : tag("rect", {{"class", "lost"},
                                           {"x", percent(from)},
                                           {"y", "0"},
                                           {"width", percent(to - from)},
                                           {"height", "100%"}});
  };
  const double first = place(h.limits().lo), last = place(h.limits().hi);
  Html html;
  if (held.width() > 0) html += shade(0, place(held.lo)) + shade(place(held.hi), 100);
  html += tag("svg",
              {{"x", percent(first)},
               {"width", percent(std::max(last - first, 1.0))},
               {"height", "100%"},
               {"viewBox", fmt::format("0 0 {} 100", kBins)},
               {"preserveAspectRatio", "none"}},
              tag("path", {{"d", bars(h)}}));
  for (const Mark& m : marks) {
    const std::string x = percent(std::clamp(place(m.at), 0.4, 99.6));
    html += tag("line", {{"class", m.kind}, {"x1", x}, {"x2", x}, {"y1", "0"}, {"y2", "100%"}});
  }
  html +=
      tag("line", {{"class", "axis"}, {"x1", "0"}, {"x2", "100%"}, {"y1", "100%"}, {"y2", "100%"}});
  return drawing({{"class", "hist"}, {"height", number(kHeight)}}, label, html) +
         tag("div", {{"class", "ends"}},
             tag("span", real_text(static_cast<double>(axis.lo))) +
                 tag("span", real_text(static_cast<double>(axis.hi))));
}

Html activations(const Facts& f, int tensor, const LayerError* error) {
  const auto t = static_cast<std::size_t>(tensor);
  if (f.values.empty() || !(f.values[t].limits().lo <= f.values[t].limits().hi)) return {};
  const Quantisation& q = f.program().scales[t];
  const Limits held = held_by(q);
  std::string text =
      fmt::format("Range {}, step {}, zero at {}", limits_text(held), real_text(q.scale), q.zero);
  if (q.bits != 8) text += fmt::format(", {} bits", q.bits);
  if (error && error->clipped > 0)
    text += fmt::format("; {} clipped", clipped_text(error->clipped));
  return tag("figure", histogram(f.values[t], held, {{"held", held.lo}, {"held", held.hi}},
                                 "Activations from " + limits_text(f.values[t].limits()) +
                                     "; the range is " + limits_text(held)) +
                           tag("figcaption", tag("b", "Activations. ") + Html(text)));
}

Html weights(const Facts& f, std::size_t node) {
  const auto& w = f.weights[node];
  if (!w) return {};
  const auto all = static_cast<std::int64_t>(f.graph().nodes[node].weights.size());
  std::string text = fmt::format("{} from {}", counted(static_cast<std::size_t>(all), "value"),
                                 limits_text(w->histogram.limits()));
  std::vector<Mark> marks;
  Limits held;
  if (!w->held.empty()) {
    const auto [least, most] = std::ranges::minmax(w->held);
    held = {-most, most};
    marks = {{"held", -most}, {"held", most}};
    if (w->held.size() == 1) {
      text += fmt::format("; one scale holds ±{}", real_text(static_cast<double>(most)));
    } else {
      marks.push_back({"narrow", -least}), marks.push_back({"narrow", least});
      text +=
          fmt::format("; the scales of {} channels hold ±{} to ±{}", w->held.size(),
                      real_text(static_cast<double>(least)), real_text(static_cast<double>(most)));
    }
  }
  return tag("figure", histogram(w->histogram, held, marks, "Weights: " + text) +
                           tag("figcaption", tag("b", "Weights. ") + Html(text)));
}

struct Card {
  double sqnr;
  Html html;
};

std::vector<Card> cards(const Facts& f) {
  std::vector<Card> all;
  const auto add = [&](const std::string& name, const std::string& op, const Html& content,
                       double sqnr) {
    if (content.empty()) return;
    all.push_back({sqnr, tag("div", {{"class", "card"}},
                             tag("h3", Html(name) + " " + tag("span", {{"class", "small"}}, op)) +
                                 tag("div", {{"class", "pair"}}, content))});
  };
  for (const int t : f.graph().inputs)
    add(f.graph().tensors[static_cast<std::size_t>(t)].name, "input", activations(f, t, nullptr),
        INFINITY);
  for (std::size_t i = 0; i < f.graph().nodes.size(); ++i) {
    if (!f.works(i)) continue;
    const Node& node = f.graph().nodes[i];
    const LayerError* error = f.errors.empty() ? nullptr : &f.errors[i];
    add(node.name, op_text(node), activations(f, node.output, error) + weights(f, i),
        error ? error->sqnr : INFINITY);
  }
  return all;
}

}  // namespace

Html ranges_section(const Facts& f) {
  if (!f.program().numbers.quantised)
    return section("ranges", "Ranges", "Float has no ranges.", {});
  std::vector<Card> all = cards(f);
  const bool many = all.size() > kOpen;
  Html first, rest;
  // Of many the least exact come first, and the others wait.
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < all.size(); ++i) order.push_back(i);
  if (many) std::ranges::stable_sort(order, {}, [&](std::size_t i) { return all[i].sqnr; });
  for (std::size_t k = 0; k < order.size(); ++k)
    (many && k >= kOpen / 2 ? rest : first) += all[order[k]].html;
  Html content = legend({{"values", "values, on a logarithmic scale"},
                         {"held", "what the integers hold"},
                         {"narrow", "of the narrowest channel"},
                         {"lost", "clipped"}}) +
                 tag("div", {{"class", "ranges"}}, first);
  if (!rest.empty())
    content +=
        tag("details",
            tag("summary", "The other " + counted(all.size() - kOpen / 2, "layer") +
                               (f.errors.empty() ? "" : ", from the less exact to the exact")) +
                tag("div", {{"class", "ranges"}}, rest));
  Html lead = many ? "The least exact layers first." : "";
  if (f.request.sizing_only)
    lead = "Weights only: activations were calibrated on random numbers.";
  else if (f.values.empty())
    lead = prose("Weights only: activations take samples (`--calibrate` or `--data`).");
  return section("ranges", "Weights and activations", lead, content);
}

}  // namespace nnomc
