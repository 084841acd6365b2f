#include <fmt/format.h>

#include "compiler/report/html/sections.hpp"
#include "compiler/report/html/style.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"
#include "compiler/version.hpp"

namespace nnomc {

Html section(const std::string& id, const std::string& title, const Html& lead,
             const Html& content) {
  Html html = tag("h2", {{"id", id + "-title"}}, title);
  if (!lead.empty()) html += tag("p", {{"class", "lead"}}, lead);
  return tag("section", {{"id", id}, {"aria-labelledby", id + "-title"}, {"class", "long"}},
             html + content);
}

Html bar(double share, const std::string& label, std::string_view kind) {
  const double width = 100 * std::clamp(share, 0.0, 1.0);
  std::vector<Attribute> attributes{{"class", kind.empty() ? "bar" : "bar " + std::string(kind)}};
  if (label.empty())
    attributes.push_back({"aria-hidden", "true"});
  else
    attributes.insert(attributes.end(), {{"role", "img"}, {"aria-label", label}});
  return tag("span", attributes, tag("i", {{"style", "width:" + number(width) + "%"}}));
}

Html barred(double share, std::string_view kind, const Html& figure) {
  return tag("span", {{"class", "barred"}}, bar(share, "", kind) + tag("span", figure));
}

Html drawing(const std::vector<Attribute>& attributes, const std::string& label,
             const Html& content) {
  std::vector<Attribute> all{{"role", "img"}, {"aria-label", label}};
  all.insert(all.end(), attributes.begin(), attributes.end());
  return tag("svg", all, content);
}

Html legend(const std::vector<std::pair<std::string, std::string>>& keys) {
  Html html;
  for (const auto& [kind, meaning] : keys)
    html += tag("li", tag("span", {{"class", kind}}) + Html(meaning));
  return tag("ul", {{"class", "legend"}}, html);
}

HtmlTable::Cell layer_cell(const Node& node) {
  return {
      tag("span", {{"class", "name"}}, node.name) + tag("span", {{"class", "op"}}, op_text(node)),
      node.name};
}

std::string real_text(double value) { return fmt::format("{:.3g}", value); }

std::string clipped_text(double share) {
  if (share <= 0) return "";
  return share < 5e-5 ? "< 0.01 %" : percent_text(share);
}

namespace {

struct Part {
  const char *id, *title;
  Html (*make)(const Facts&);
};
constexpr Part kParts[] = {
    {"verdict", "Fit", verdict_section},      {"speed", "Speed", speed_section},
    {"quality", "Accuracy", quality_section}, {"memory", "Memory", memory_section},
    {"network", "Network", network_section},  {"ranges", "Ranges", ranges_section},
    {"advice", "What to do", advice_section},
};

Html head(const std::string& title) {
  // Nothing may be loaded, whatever the model's names are.
  const std::string policy =
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
  return Html::raw("<head>\n<meta charset=\"utf-8\"/>\n") +
         tag("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", policy}}) +
         Html::raw(
             "\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
             "<link rel=\"icon\" href=\"data:,\"/>\n") +
         tag("title", title) +
         Html::raw(fmt::format("\n<style>{}</style>\n</head>\n", kReportStyle));
}

Html banner(const ReportRequest& r) {
  if (!r.sizing_only) return {};
  return tag(
      "p", {{"class", "banner"}, {"role", "alert"}},
      Html("For sizing only, not for use") +
          tag("small", prose("Calibrated on random numbers (`--calibrate random`): RAM, flash "
                             "and time are right, what the model answers means nothing.")));
}

std::string summary(const Facts& f) {
  const ReportRequest& r = f.request;
  std::string text = fmt::format("{}, {}, {} parameters, {} operations an inference",
                                 numbers_text(r.program), counted(f.graph().nodes.size(), "layer"),
                                 count_text(r.model.parameters()), count_text(f.graph().macs()));
  text += ". Built for " + core_title(r.options.target);
  if (!r.calibration.empty()) text += "; " + r.calibration;
  return text + ".";
}

}  // namespace

std::string html_report(const ReportRequest& request) {
  const Facts facts = find_facts(request);
  const std::string mark = request.sizing_only ? "FOR SIZING ONLY: " : "";
  Html links, sections;
  for (const Part& part : kParts) {
    links += tag("li", tag("a", {{"href", fmt::format("#{}", part.id)}}, part.title));
    sections += part.make(facts) + Html::raw("\n");
  }
  const Html body =
      tag("header", tag("h1", mark + request.name) + tag("p", {{"class", "sub"}}, summary(facts)) +
                        banner(request)) +
      tag("nav", {{"aria-label", "Sections"}}, tag("ul", links)) + tag("main", sections) +
      tag("footer",
          tag("p", {{"class", "note"}},
              mark + fmt::format("Made by nnom {}. This page needs no network.", version)));
  return "<!DOCTYPE html>\n<html lang=\"en\">\n" +
         head(mark + request.name + ": report of nnom").markup() +
         tag("body", body + Html::raw(fmt::format("<script>{}</script>", kReportScript))).markup() +
         "\n</html>\n";
}

}  // namespace nnomc
