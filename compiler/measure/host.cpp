#include <chrono>
#include <cstring>
#include <mutex>

#include "compiler/measure/measure.hpp"
#include "compiler/report/progress.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {

Measured run_on_host(const Program& given, const Inputs& inputs, const std::string& label) {
  const Program program = for_host(given);
  using std::chrono::steady_clock;
  const std::size_t bytes = output_bytes(program), nodes = program.graph.nodes.size();
  Measured m;
  m.outputs.resize(inputs.count * bytes);
  std::vector<double> seconds(nodes);
  std::mutex mutex;
  Progress progress(label, inputs.count);
  const auto run = [&](Simulator& simulator, std::size_t sample) {
    for (std::size_t i = 0; i < program.graph.inputs.size(); ++i)
      inputs.fill(sample, i, simulator.input_bytes(i));
    std::vector<double> taken(nodes);
    auto before = steady_clock::now();
    simulator.run([&](std::size_t node, const void*) {
      const auto now = steady_clock::now();
      taken[node] = std::chrono::duration<double>(now - before).count();
      before = now;
    });
    std::byte* to = m.outputs.data() + sample * bytes;
    for (std::size_t i = 0; i < program.graph.outputs.size(); ++i) {
      const auto output = simulator.output_bytes(i);
      std::memcpy(to, output.data(), output.size());
      to += output.size();
    }
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < nodes; ++i) seconds[i] += taken[i];
    progress.step();
  };
  in_starts(inputs.count, inputs.follow, [&](std::size_t begin, std::size_t end) {
    Simulator simulator(program);
    for (std::size_t s = begin; s < end; ++s) run(simulator, s);
  });
  double sum = 0;
  for (const double s : seconds) {
    const double mean = s / static_cast<double>(inputs.count);
    m.layers.push_back({mean, {}, {}});
    sum += mean;
  }
  m.seconds = sum;
  return m;
}

}  // namespace nnomc
