#include "compiler/emit/turns.hpp"

#include <fmt/format.h>

namespace nnomc {

std::string TurnsText::turn(const Node& node) {
  std::string in;
  for (const int t : node.inputs) in += fmt::format("{}{}", in.empty() ? "" : ", ", number_of(t));
  const int out = number_of(node.output);
  return fmt::format(", nnom::Turn{{{}, {}, {{{}}}}}", out, node.inputs.size(), in);
}
int TurnsText::number_of(int tensor) {
  return numbers_.emplace(tensor, static_cast<int>(numbers_.size())).first->second;
}

std::string TurnsText::functions(const std::string& calls) {
  std::vector<int> done(numbers_.size());
  for (const int t : p_.graph.inputs)
    if (numbers_.count(t)) done[static_cast<size_t>(number_of(t))] = p_.graph.shape(t)[0];
  std::string feed;
  if (p_.plan.input_by_rows) {
    const int t = p_.graph.inputs[0], rows = p_.graph.shape(t)[0];
    const int ring = p_.plan.ring[static_cast<size_t>(t)];
    done[static_cast<size_t>(number_of(t))] = 0;
    feed = fmt::format(
        "    if (int& y = done[{}]; y < {}) {{\n"
        "      rows.read(rows.context, y, arena + {} + {} * {});\n"
        "      ++y, more = true;\n    }}\n",
        number_of(t), rows, p_.plan.tensor[static_cast<size_t>(t)],
        ring ? fmt::format("y % {}", ring) : "y", tensor_bytes(p_.graph, t, p_.numbers) / rows);
  }
  return fmt::format(
      "/// The same for the layers that run row by row; layer() is also told what they wait "
      "for.\n"
      "template <class Layer>\n[[gnu::always_inline]] inline void turns(Layer layer) {{\n{}}}\n\n"
      "inline void run_turns(unsigned char* arena{}) {{\n"
      "  int done[] = {{{}}};  // rows of each tensor\n"
      "  for (bool more = true; more;) {{\n    more = false;\n{}"
      "    turns([&](const char*, unsigned, const auto& op, const auto& data, const auto& at, "
      "const nnom::Turn& turn) {{\n"
      "      more |= nnom::take_turn<nnom::Native>(op, data, at, arena, turn, done);\n    }});\n"
      "  }}\n}}\n\n",
      calls, p_.plan.input_by_rows ? ", nnom::Rows rows" : "", fmt::join(done, ", "), feed);
}

}  // namespace nnomc
