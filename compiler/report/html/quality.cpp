#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/report/html/sections.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

constexpr std::size_t kMostClasses = 24;  // of a whole matrix
constexpr std::size_t kWorst = 12;        // rows of an abbreviated one

double share(std::uint32_t part, std::uint32_t whole) {
  return whole ? static_cast<double>(part) / whole : std::nan("");
}

std::string class_name(const Facts& f, std::size_t c) {
  return c < f.request.classes.size() ? f.request.classes[c] : std::to_string(c);
}

Html accuracy(const Facts& f, const EvaluationReport& e) {
  const Classification& c = *e.quality.counts;
  const Classification* real = e.reference && e.reference->counts ? &*e.reference->counts : nullptr;
  HtmlTable table(fmt::format("Accuracy on {}", counted(e.samples, "sample")),
                  {{"", false}, {numbers_text(f.program())}, {"float"}, {"Difference, points"}});
  const auto cell = [](const Classification& of, std::size_t k) {
    return Html(percent_text(share(of.top(k), of.samples()))) +
           tag("span", {{"class", "small wide"}},
               fmt::format(" {} of {}", of.top(k), of.samples()));
  };
  const auto row = [&](std::size_t k) {
    table.row({{fmt::format("top\u2011{}", k)},
               {cell(c, k)},
               {real ? cell(*real, k) : Html()},
               {real ? fmt::format("{:+.2f}", 100 * (share(c.top(k), c.samples()) -
                                                     share(real->top(k), real->samples())))
                     : ""}});
  };
  row(1);
  if (e.top_k > 1 && e.top_k < c.classes()) row(e.top_k);
  return table.html();
}

Html matrix(const Facts& f, const Classification& c) {
  const std::size_t n = c.classes();
  std::uint32_t most = 1;
  for (std::size_t r = 0; r < n; ++r)
    for (std::size_t k = 0; k < n; ++k)
      if (r != k) most = std::max(most, c.confusion(r, k));
  Html head = tag("th", {{"scope", "col"}}, "right"), body;
  for (std::size_t k = 0; k < n; ++k)
    head +=
        tag("th", {{"scope", "col"}, {"title", class_name(f, k)}}, shortened(class_name(f, k), 12));
  head += tag("th", {{"scope", "col"}}, "found");
  for (std::size_t r = 0; r < n; ++r) {
    Html row = tag("th", {{"scope", "row"}}, class_name(f, r));
    for (std::size_t k = 0; k < n; ++k) {
      const std::uint32_t count = c.confusion(r, k);
      std::vector<Attribute> attributes;
      const double part = share(count, std::max(c.actual(r), 1u));
      if (count && r == k) {
        attributes = {{"class", "hit"}, {"style", "--v:" + number(0.55 * part)}};
      } else if (count) {
        attributes = {{"class", "miss"},
                      {"style", fmt::format("--w:{:.0f}%", 10 + 45.0 * count / most)}};
      }
      row += tag("td", attributes, count ? count_text(count) : "");
    }
    body += tag("tr", row + tag("td", percent_text(share(c.confusion(r, r), c.actual(r)), 0)));
  }
  return tag("div",
             {{"class", "scroll"},
              {"tabindex", "0"},
              {"role", "region"},
              {"aria-label", "Confusion matrix"}},
             tag("table", {{"class", "confusion"}},
                 tag("caption",
                     "Confusions: rows the right class, columns the answer; found: of the row") +
                     tag("thead", tag("tr", head)) + tag("tbody", body)));
}

Html worst_confusions(const Facts& f, const Classification& c) {
  struct Pair {
    std::size_t label, answer;
  };
  std::vector<Pair> pairs;
  for (std::size_t r = 0; r < c.classes(); ++r)
    for (std::size_t k = 0; k < c.classes(); ++k)
      if (r != k && c.confusion(r, k)) pairs.push_back({r, k});
  std::ranges::stable_sort(pairs, [&](Pair a, Pair b) {
    return c.confusion(a.label, a.answer) > c.confusion(b.label, b.answer);
  });
  HtmlTable table(fmt::format("Worst confusions of {} classes", c.classes()),
                  {{"Right", false}, {"Answer", false}, {"Samples"}, {"Of its samples"}});
  for (std::size_t i = 0; i < std::min(pairs.size(), kWorst); ++i) {
    const auto [label, answer] = pairs[i];
    table.row({{class_name(f, label)},
               {class_name(f, answer)},
               {count_text(c.confusion(label, answer))},
               {percent_text(share(c.confusion(label, answer), c.actual(label)), 0)}});
  }
  return table.html();
}

Html outcome(const Facts& f) {
  const auto& e = f.request.evaluation;
  if (!e || (!e->quality.counts && !e->quality.value))
    return tag("p", {{"class", "note"}},
               prose("No accuracy: give labelled samples with `--data X --labels Y`."));
  if (e->quality.counts)
    return accuracy(f, *e) + (e->quality.counts->classes() <= kMostClasses
                                  ? matrix(f, *e->quality.counts)
                                  : worst_confusions(f, *e->quality.counts));
  HtmlTable table(fmt::format("On {}", counted(e->samples, "sample")),
                  {{"Metric", false}, {numbers_text(f.program())}, {"float"}});
  table.row(
      {{name_of(e->metric)},
       {fmt::format("{:.6g}", *e->quality.value)},
       {e->reference && e->reference->value ? fmt::format("{:.6g}", *e->reference->value) : ""}});
  return table.html();
}

std::string decibels(double sqnr) {
  return std::isfinite(sqnr) ? fmt::format("{:.1f}", sqnr) : "exact";
}

Html errors(const Facts& f) {
  if (f.errors.empty())
    return tag(
        "p", {{"class", "note"}},
        prose("No error of the layers: that takes samples, with `--calibrate` or `--data`."));
  HtmlTable table(fmt::format("Layers, on {}", counted(f.request.samples.count(), "sample")),
                  {{"Layer", false},
                   {"SQNR, dB", true, "power of the float output over that of its difference"},
                   {"Worst channel, dB", true, "of those whose values reach a step"},
                   {"Float values"},
                   {"Step", true, "what one unit of the integers stands for"},
                   {"Clipped", true, "share of values more than a step outside of the range"}},
                  true);
  for (const LayerError& e : f.errors) {
    if (!f.works(e.node)) continue;
    const Node& node = f.graph().nodes[e.node];
    const bool several = f.graph().shape(node.output).back() > 1 && e.worst_channel >= 0;
    const char* kind = e.sqnr < 10 ? "bad" : e.sqnr < 20 ? "warn" : "good";
    const double level = std::isfinite(e.sqnr) ? e.sqnr : 1000;
    table.row({layer_cell(node),
               {barred(level / 60, kind, decibels(e.sqnr)), number(level)},
               {several ? fmt::format("{} (#{})", decibels(e.worst), e.worst_channel) : "",
                number(std::isfinite(e.worst) ? e.worst : 1000)},
               {real_text(e.lo) + " to " + real_text(e.hi), real_text(e.hi - e.lo)},
               {real_text(f.program().scales[static_cast<std::size_t>(node.output)].scale)},
               {clipped_text(e.clipped), number(1e6 * e.clipped)}});
  }
  return table.html() +
         tag("p", {{"class", "note"}},
             "SQNR: the float output's power over that of its difference to the integers', with "
             "the errors of all layers before. 20 dB is an error of a tenth, 40 dB of a hundredth. "
             "A low figure inside the network need not hurt the answer; accuracy decides.");
}

}  // namespace

Html quality_section(const Facts& f) {
  Html lead;
  if (!f.program().numbers.quantised) {
    lead = "The model runs in float.";
  } else if (f.request.sizing_only) {
    lead = "Nothing to see: it was calibrated on random numbers.";
  } else if (!f.errors.empty()) {
    const auto worst = std::ranges::min_element(f.errors, {}, &LayerError::sqnr);
    lead = Html("The least exact layer is ") + tag("b", f.graph().nodes[worst->node].name) +
           ", at " + decibels(worst->sqnr) + " dB";
    const LayerError* last = nullptr;
    for (const LayerError& e : f.errors)
      if (f.graph().nodes[e.node].output == f.graph().outputs[0]) last = &e;
    if (last && last != &*worst) lead += Html("; the output is at ") + decibels(last->sqnr) + " dB";
    lead += ".";
  }
  if (f.request.model.quantised())
    lead += Html(
        " The file was quantised already, so its own integers as real numbers are what "
        "float means here.");
  if (f.request.sizing_only) return section("quality", "What quantisation costs", lead, {});
  return section("quality", "What quantisation costs", lead,
                 outcome(f) + tag("h3", "Error of each layer") + errors(f));
}

}  // namespace nnomc
