#include "compiler/measure/measure.hpp"

namespace nnomc {

std::size_t output_bytes(const Program& program, std::size_t output) {
  return static_cast<std::size_t>(
      tensor_bytes(program.graph, program.graph.outputs[output], program.numbers));
}

std::size_t output_bytes(const Program& program) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < program.graph.outputs.size(); ++i) sum += output_bytes(program, i);
  return sum;
}

std::vector<float> output_values(const Program& program, const Measured& measured,
                                 std::size_t output) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < output; ++i) offset += output_bytes(program, i);
  const std::size_t bytes = output_bytes(program, output), stride = output_bytes(program);
  std::vector<float> values;
  for (std::size_t at = offset; at < measured.outputs.size(); at += stride) {
    const auto* from = reinterpret_cast<const unsigned char*>(measured.outputs.data() + at);
    const std::vector<float> sample = load(program, program.graph.outputs[output], {from, bytes});
    values.insert(values.end(), sample.begin(), sample.end());
  }
  return values;
}

}  // namespace nnomc
