#include "compiler/emit/testset.hpp"

#include <fmt/format.h>

#include <bit>
#include <vector>

#include "compiler/emit/text.hpp"

namespace nnomc {
namespace {

void append(std::string& bytes, std::uint32_t number, std::size_t count) {
  for (; count > 0; --count, number >>= 8) bytes += static_cast<char>(number & 0xff);
}

}  // namespace

std::string testset_bytes(const Program& program, const Inputs& inputs,
                          std::span<const std::uint32_t> labels, std::size_t classes) {
  const std::size_t label_bytes = classes <= 0x100 ? 1 : classes <= 0x10000 ? 2 : 4;
  std::string bytes = "NNTS";
  append(bytes, 1, 2);
  append(bytes, static_cast<std::uint32_t>(program.graph.inputs.size()), 2);
  append(bytes, static_cast<std::uint32_t>(inputs.count), 4);
  append(bytes, static_cast<std::uint32_t>(label_bytes), 4);
  std::vector<std::vector<unsigned char>> sample;
  for (const int t : program.graph.inputs) {
    const int size = tensor_bytes(program.graph, t, program.numbers);
    const nnom::Quantisation q = board_quantisation(program, t);
    append(bytes, static_cast<std::uint32_t>(size), 4);
    append(bytes, std::bit_cast<std::uint32_t>(q.scale), 4);
    append(bytes, static_cast<std::uint32_t>(q.zero), 4);
    sample.emplace_back(size);
  }
  for (std::size_t i = 0; i < inputs.count; ++i) {
    for (std::size_t input = 0; input < sample.size(); ++input) {
      inputs.fill(i, input, sample[input]);
      bytes.append(sample[input].begin(), sample[input].end());
    }
    append(bytes, labels[i], label_bytes);
  }
  return bytes;
}

std::string testset_header(const std::string& bytes, const std::string& name,
                           const std::string& comment) {
  return fmt::format(
      "/* {} */\n#ifndef NNOM_TESTSET_{}\n#define NNOM_TESTSET_{}\n\n"
      "static const unsigned char {}[{}] = {{\n{}}};\n\n#endif\n",
      comment, name, name, name, bytes.size(),
      elements_text(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace nnomc
