/// \file
/// The sections of a report, each in a file of its name.
#pragma once

#include <string>
#include <vector>

#include "compiler/report/html/facts.hpp"
#include "compiler/report/html/html.hpp"

namespace nnomc {

/// Whether it fits, how fast it is, how good it is; and other boards.
Html verdict_section(const Facts& facts);
/// The cost of each layer on the core.
Html speed_section(const Facts& facts);
/// Float and int8: accuracy, confusions, the error of each layer.
Html quality_section(const Facts& facts);
/// The arena over the layers.
Html memory_section(const Facts& facts);
/// The layers as a graph.
Html network_section(const Facts& facts);
/// Weights and activations of each layer, and what int8 holds of them.
Html ranges_section(const Facts& facts);
/// What to do about the worst of all that.
Html advice_section(const Facts& facts);

/// A section with its heading. `lead` is the sentence that sums it up.
Html section(const std::string& id, const std::string& title, const Html& lead,
             const Html& content);

/// A bar of `share` (0 to 1) with what it stands for, or nothing where a text says it too; `kind`
/// is "", "good", "warn" or "bad".
Html bar(double share, const std::string& label, std::string_view kind = "");

/// The same before a figure, in a cell of a table.
Html barred(double share, std::string_view kind, const Html& figure);

/// One drawing for people who can't see it: `label` says what it shows.
Html drawing(const std::vector<Attribute>& attributes, const std::string& label,
             const Html& content);

/// Coloured keys and what they stand for: {class, meaning}.
Html legend(const std::vector<std::pair<std::string, std::string>>& keys);

/// A layer's name, and below it what it is.
HtmlTable::Cell layer_cell(const Node& node);

/// "0.0123", "1.5e-05": three digits.
std::string real_text(double value);

/// "0.12 %"; empty for none.
std::string clipped_text(double share);

/// What to say of one thing that could be better.
struct Advice {
  std::string title;  ///< what is the worst: "Slowest layer: 'middle', 32 % of the time"
  std::vector<std::string> steps;  ///< what to do, with `code`
};
std::vector<Advice> advice_on(const Facts& facts);

}  // namespace nnomc
