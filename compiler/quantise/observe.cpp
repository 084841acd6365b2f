#include "compiler/quantise/observe.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <thread>

#include "compiler/error.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

/// Threads that see samples: as many as there are cores, and starts of the model to share.
size_t workers_for(const Samples& samples) {
  return std::min<size_t>(samples.starts(), std::max(1u, std::thread::hardware_concurrency()));
}

/// Runs `program` on every sample, on all cores; visit(worker, tensor, values) sees each tensor
/// that has a range of its own. A worker's calls do not overlap.
void observe(const Program& program, const Samples& samples, Progress& progress,
             const std::function<void(size_t, size_t, std::span<const float>)>& visit) {
  const Graph& graph = program.graph;
  const size_t workers = workers_for(samples);
  in_parallel(workers, [&](size_t worker) {
    Simulator simulator(program);
    const size_t length = samples.samples_a_start();
    for (size_t start = worker; start < samples.starts(); start += workers) {
      simulator.reset();
      for (size_t s = start * length; s < (start + 1) * length; ++s) {
        for (size_t i = 0; i < graph.inputs.size(); ++i) {
          const std::vector<float> in = samples.read(s, i);
          simulator.set_input(i, in);
          visit(worker, static_cast<size_t>(graph.inputs[i]), in);
        }
        simulator.run([&](size_t node, const void* output) {
          const auto t = static_cast<size_t>(graph.nodes[node].output);
          visit(worker, t,
                {static_cast<const float*>(output),
                 static_cast<size_t>(graph.tensors[t].shape.size())});
        });
        progress.step();
      }
    }
  });
}

}  // namespace

std::vector<Limits> min_max(const Program& program, const Samples& samples, Progress& progress) {
  const size_t tensors = program.graph.tensors.size(), workers = workers_for(samples);
  std::vector<std::vector<Limits>> found(workers,
                                         std::vector<Limits>(tensors, {INFINITY, -INFINITY}));
  observe(program, samples, progress, [&](size_t worker, size_t t, std::span<const float> values) {
    float lo = found[worker][t].lo, hi = found[worker][t].hi, check = 0;
    for (const float v : values) {
      lo = std::min(lo, v), hi = std::max(hi, v);
      check += v * 0.0f;  // NaN for infinities and NaN
    }
    if (check != 0 || std::isnan(check))
      throw Error(
          "{}: '{}' gives values that are not finite for the calibration data: "
          "check the data (--scale and --offset?) and the model's weights",
          program.graph.file, program.graph.tensors[t].name);
    found[worker][t] = {lo, hi};
  });
  std::vector<Limits> limits(tensors);
  for (size_t t = 0; t < tensors; ++t) {
    limits[t] = found[0][t];
    for (const auto& f : found)
      limits[t] = {std::min(limits[t].lo, f[t].lo), std::max(limits[t].hi, f[t].hi)};
  }
  return limits;
}

std::vector<Histogram> histograms(const Program& program, const Samples& samples,
                                  const std::vector<Limits>& limits, Scheme scheme,
                                  Progress& progress) {
  const size_t workers = workers_for(samples);
  std::vector<Histogram> none;
  for (const Limits& l : limits) none.emplace_back(l, scheme);
  std::vector<std::vector<Histogram>> found(workers, none);
  observe(program, samples, progress, [&](size_t worker, size_t t, std::span<const float> values) {
    found[worker][t].add(values);
  });
  for (size_t w = 1; w < workers; ++w)
    for (size_t t = 0; t < limits.size(); ++t) found[0][t].add(found[w][t]);
  return found[0];
}

}  // namespace nnomc
