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

namespace {

/// Calls use(bytes) with output `output` of every sample.
void each_output(const Program& program, const Measured& measured, std::size_t output, auto use) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < output; ++i) offset += output_bytes(program, i);
  const std::size_t bytes = output_bytes(program, output), stride = output_bytes(program);
  for (std::size_t at = offset; at < measured.outputs.size(); at += stride)
    use(std::span(measured.outputs).subspan(at, bytes));
}

}  // namespace

std::vector<float> output_values(const Program& program, const Measured& measured,
                                 std::size_t output) {
  std::vector<float> values;
  each_output(program, measured, output, [&](std::span<const std::byte> bytes) {
    const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
    const std::vector<float> sample =
        load(program, program.graph.outputs[output], {from, bytes.size()});
    values.insert(values.end(), sample.begin(), sample.end());
  });
  return values;
}

std::vector<std::byte> output_stored(const Program& program, const Measured& measured,
                                     std::size_t output) {
  std::vector<std::byte> stored;
  each_output(program, measured, output, [&](std::span<const std::byte> bytes) {
    stored.insert(stored.end(), bytes.begin(), bytes.end());
  });
  return stored;
}

}  // namespace nnomc
