#include <fmt/format.h>

#include <algorithm>

#include "compiler/report/html/sections.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

constexpr double kTight = 0.8;  // an application needs memory of its own

struct Fit {
  const char* kind;  // "good", "warn", "bad"
  const char* text;
};

double share(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

Fit fit(const Facts& f, std::size_t board) {
  const double most = f.fullness(board);
  if (most > 1) return {"bad", "too large"};
  if (most > kTight) return {"warn", "tight"};
  return {"good", "fits"};
}

const char* kind_of(double part) { return part > 1 ? "bad" : part > kTight ? "warn" : "good"; }

Html card(const char* title, const Html& big, const Html& below) {
  return tag("div", {{"class", "card"}},
             tag("h3", title) + tag("div", {{"class", "big"}}, big) + below);
}

Html memory_card(const char* title, std::int64_t bytes, std::int64_t all,
                 const std::string& parts) {
  const double part = share(bytes, all);
  const std::string of = fmt::format("{} of {}", percent_text(part, 1), size_text(all));
  return card(title, size_text(bytes),
              bar(part, of + " of " + title, kind_of(part)) +
                  tag("p", {{"class", "note"}}, of + ": " + parts));
}

std::string clock_text(const Hardware& h) { return fmt::format("{:g}\u00a0MHz", h.clock_hz / 1e6); }

Html speed_card(const Facts& f) {
  const auto seconds = f.seconds_on(f.board);
  if (!seconds) return card("Time", "not measured", tag("p", {{"class", "note"}}, f.not_measured));
  const std::string rate = 1 / *seconds >= 10 ? fmt::format("{:.0f}", 1 / *seconds)
                                              : fmt::format("{:.2g}", 1 / *seconds);
  return card("Time", (f.has_cycles() ? "" : "≈ ") + time_text(*seconds),
              tag("p", {{"class", "note"}},
                  fmt::format("an inference: {} a second at {}{}", rate, clock_text(f.board),
                              f.has_cycles() ? "" : ", at one instruction a cycle (an estimate)")));
}

Html quality_card(const Facts& f) {
  const auto& e = f.request.evaluation;
  if (!e || (!e->quality.counts && !e->quality.value))
    return card("Accuracy", "not measured",
                tag("p", {{"class", "note"}}, prose("give `--data` and `--labels`")));
  const std::string samples = counted(e->samples, "sample");
  if (e->quality.value) {
    const bool both = e->reference && e->reference->value;
    return card(name_of(e->metric), fmt::format("{:.4g}", *e->quality.value),
                tag("p", {{"class", "note"}},
                    (both ? fmt::format("float {:.4g}, ", *e->reference->value) : "") + samples));
  }
  const Classification& c = *e->quality.counts;
  const auto accuracy = [](const Classification& of) {
    return share(of.top(1), std::max<std::int64_t>(of.samples(), 1));
  };
  std::string note = samples;
  if (e->reference && e->reference->counts)
    note = fmt::format("float {}: {:+.2f} points, {}",
                       percent_text(accuracy(*e->reference->counts), 1),
                       100 * (accuracy(c) - accuracy(*e->reference->counts)), samples);
  return card("Accuracy", percent_text(accuracy(c), 1), tag("p", {{"class", "note"}}, note));
}

Html sentence(const Facts& f) {
  const auto chosen = std::ranges::find(f.boards, f.board.name, &Hardware::name);
  const Fit v = fit(f, static_cast<std::size_t>(chosen - f.boards.begin()));
  const std::string_view kind = v.kind;
  Html text = tag("b", {{"class", v.kind}},
                  kind == "bad"    ? "It does not fit the "
                  : kind == "warn" ? "It just fits the "
                                   : "It fits the ") +
              tag("b", f.board.title) + " (" + f.board.chip + "): " + size_text(f.ram()) +
              " of RAM, " + size_text(f.flash()) + " of flash";
  if (const auto seconds = f.seconds_on(f.board))
    text += Html(", ") + (f.has_cycles() ? "" : "about ") + time_text(*seconds) + " an inference";
  return tag("p", {{"class", "verdict"}}, text + ".");
}

Html memory_cell(std::int64_t bytes, std::int64_t all) {
  const double part = share(bytes, all);
  return barred(
      part, kind_of(part),
      percent_text(part, 0) + tag("span", {{"class", "small wide"}}, " of " + size_text(all)));
}

Html boards(const Facts& f) {
  HtmlTable table("Boards, by what the model needs of their memory",
                  {{"Board", false}, {"Verdict", false}, {"RAM"}, {"Flash"}, {"Time"}}, true);
  for (std::size_t i = 0; i < f.boards.size(); ++i) {
    const Hardware& h = f.boards[i];
    const bool chosen = h.name == f.board.name;
    const std::int64_t ram = f.arena[i] + f.stack();
    const Fit v = fit(f, i);
    const auto seconds = f.seconds_on(h);
    Html where = fmt::format("{}, {}, {}", h.chip, core_title(h.core), clock_text(h));
    if (!h.note.empty()) where += tag("span", {{"class", "wide"}}, "; " + h.note);
    const Html name = Html(h.title) + tag("span", {{"class", "op"}}, where);
    table.row(
        {{name, h.title},
         {tag("span", {{"class", fmt::format("pill {}", v.kind)}}, v.text)},
         {memory_cell(ram, h.ram_bytes), number(1e4 * share(ram, h.ram_bytes))},
         {memory_cell(f.flash(), h.flash_bytes), number(1e4 * share(f.flash(), h.flash_bytes))},
         {seconds ? (f.has_cycles() ? "" : "≈ ") + time_text(*seconds) : "–",
          seconds ? fmt::format("{:g}", *seconds) : "1e9"}},
        chosen ? "chosen" : "");
  }
  return table.html();
}

}  // namespace

Html verdict_section(const Facts& f) {
  const bool whole = f.measured.has_value();
  Html cards =
      memory_card("RAM", f.ram(), f.board.ram_bytes,
                  whole ? fmt::format("arena {}, stack {}", size_text(f.program().plan.arena_bytes),
                                      size_text(f.stack()))
                        : "the arena; the stack, mostly less than 1 KB, comes on top") +
      memory_card("Flash", f.flash(), f.board.flash_bytes,
                  whole ? fmt::format("weights {}, code {}", size_text(f.program().weights_bytes()),
                                      size_text(f.code()))
                        : "the weights; the code, mostly 5 to 30 KB, comes on top") +
      speed_card(f) + quality_card(f);
  Html notes = tag(
      "p", {{"class", "note"}},
      prose(fmt::format(
          "`--board NAME` chooses another board. Tight: more than {:.0f} % of a memory, and the "
          "application needs some too. RAM is the model's arena{}. The arena is planned for each "
          "board's core; code, stack and time are those of a {}, and boards with another core have "
          "no "
          "time here. The wait states of a board's flash come on top.",
          100 * kTight, whole ? " and the stack of one inference" : "", core_title(f.board.core))));
  return section("verdict", "Does it fit?", {},
                 sentence(f) + tag("div", {{"class", "cards"}}, cards) + boards(f) + notes);
}

}  // namespace nnomc
