#include <fmt/format.h>

#include "compiler/report/html/sections.hpp"

namespace nnomc {

Html advice_section(const Facts& f) {
  Html list;
  for (const Advice& a : advice_on(f)) {
    Html steps;
    for (const std::string& step : a.steps) steps += tag("li", prose(step));
    list += tag("li", {{"class", "card"}}, tag("h3", prose(a.title)) + tag("ul", steps));
  }
  return section("advice", "What to do",
                 "The worst of each, and what would change it. What begins with \"train again\" "
                 "changes the network.",
                 tag("ol", {{"class", "advice"}}, list));
}

}  // namespace nnomc
