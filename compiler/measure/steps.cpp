#include <algorithm>

#include "compiler/measure/measure.hpp"

namespace nnomc {

Program with_sequences(Program program, const Graph& whole) {
  for (const auto* tensors : {&whole.inputs, &whole.outputs})
    for (const int t : *tensors)
      program.graph.tensors[static_cast<std::size_t>(t)].shape = whole.shape(t);
  return program;
}

Inputs steps_of(const Inputs& whole, std::size_t steps) {
  const auto fill = [whole, steps](std::size_t sample, std::size_t input,
                                   std::span<unsigned char> to) {
    std::vector<unsigned char> all(steps * to.size());
    whole.fill(sample / steps, input, all);
    std::ranges::copy(std::span(all).subspan(sample % steps * to.size(), to.size()), to.begin());
  };
  return {whole.count * steps, fill, whole.follow * steps};
}

std::vector<std::byte> sequences_of(const Program& stepwise, const Program& whole,
                                    std::span<const std::byte> outputs, std::size_t steps) {
  const std::size_t step = output_bytes(stepwise);
  std::vector<std::byte> made;
  for (auto rest = outputs; !rest.empty(); rest = rest.subspan(steps * step)) {
    std::size_t at = 0;
    for (std::size_t o = 0; o < whole.graph.outputs.size(); ++o) {
      const std::size_t size = output_bytes(stepwise, o);
      for (std::size_t t = steps - output_bytes(whole, o) / size; t < steps; ++t) {
        const auto row = rest.subspan(t * step + at, size);
        made.insert(made.end(), row.begin(), row.end());
      }
      at += size;
    }
  }
  return made;
}

}  // namespace nnomc
