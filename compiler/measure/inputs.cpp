#include <cstring>
#include <memory>
#include <random>

#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/measure/measure.hpp"

namespace nnomc {
namespace {

std::size_t input_bytes(const Program& program, std::size_t input) {
  return static_cast<std::size_t>(
      tensor_bytes(program.graph, program.graph.inputs[input], program.numbers));
}

}  // namespace

Inputs inputs_of(const Program& program, const Samples& samples) {
  return {samples.count(),
          [&](std::size_t sample, std::size_t input, std::span<unsigned char> to) {
            store(program, program.graph.inputs[input], samples.read(sample, input), to);
          },
          samples.samples_a_start()};
}

Inputs noise_for(const Program& program) {
  const bool bytes = program.numbers.quantised;
  return {1, [bytes](std::size_t sample, std::size_t input, std::span<unsigned char> to) {
            std::mt19937 random(static_cast<std::uint32_t>(1 + sample * 64 + input));
            if (bytes) {
              for (unsigned char& b : to) b = static_cast<unsigned char>(random() >> 24);
              return;
            }
            for (std::size_t i = 0; i < to.size(); i += sizeof(float)) {
              const float value = static_cast<float>(random() >> 8) / static_cast<float>(1 << 24);
              std::memcpy(to.data() + i, &value, sizeof value);
            }
          }};
}

Inputs read_stored(const Program& program, const std::vector<std::string>& files) {
  const std::size_t inputs = program.graph.inputs.size();
  std::size_t all = 0;
  for (std::size_t i = 0; i < inputs; ++i) all += input_bytes(program, i);
  const bool together = files.size() == 1;
  if (!together && files.size() != inputs)
    throw Error(
        "{}: the model has {} inputs: give one .bin file that holds all of them sample "
        "after sample, or one for each, not {}",
        program.graph.file, inputs, files.size());
  auto contents = std::make_shared<std::vector<std::vector<std::byte>>>();
  std::size_t count = 0;
  for (std::size_t f = 0; f < files.size(); ++f) {
    contents->push_back(read_file(files[f]));
    const std::size_t bytes = together ? all : input_bytes(program, f);
    const std::size_t size = contents->back().size(), n = size / bytes;
    if (size == 0 || size % bytes != 0)
      throw Error("{}: its {} bytes are no multiple of the {} that a sample of this model takes",
                  files[f], size, bytes);
    if (f > 0 && n != count)
      throw Error("{}: holds {} samples, but {} holds {}", files[f], n, files[0], count);
    count = n;
  }
  return {count, [&program, contents, together, all](std::size_t sample, std::size_t input,
                                                     std::span<unsigned char> to) {
            std::size_t offset = sample * (together ? all : to.size());
            for (std::size_t i = 0; together && i < input; ++i) offset += input_bytes(program, i);
            std::memcpy(to.data(), (*contents)[together ? 0 : input].data() + offset, to.size());
          }};
}

}  // namespace nnomc
