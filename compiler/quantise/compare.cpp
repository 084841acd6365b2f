#include "compiler/quantise/compare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "compiler/report/progress.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

/// Sums over all samples, one a channel.
struct Sums {
  std::vector<double> signal, noise;
  double lo = std::numeric_limits<double>::infinity(), hi = -lo;
  double clipped = 0, values = 0;
};

void add(const std::vector<float>& real, const std::vector<float>& stored, const Quantisation& q,
         Sums& sums) {
  // One step over the end is no clipping: probabilities reach 1, int8 255/256.
  const double least = q.scale * (q.lowest() - 1 - q.zero);
  const double most = q.scale * (q.highest() + 1 - q.zero);
  const std::size_t channels = sums.signal.size();
  for (std::size_t i = 0; i < real.size(); ++i) {
    const double v = static_cast<double>(real[i]);
    const double error = v - static_cast<double>(stored[i]);
    sums.signal[i % channels] += v * v;
    sums.noise[i % channels] += error * error;
    sums.lo = std::min(sums.lo, v);
    sums.hi = std::max(sums.hi, v);
    sums.clipped += v < least || v > most;
  }
  sums.values += static_cast<double>(real.size());
}

double decibels(double signal, double noise) {
  if (noise <= 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(std::max(signal, std::numeric_limits<double>::min()) / noise);
}

}  // namespace

std::vector<LayerError> compare_with_float(const Program& program, const Samples& samples,
                                           bool per_channel) {
  const Graph& g = program.graph;
  const Program int8 = lower(g, program.scales, {program.numbers, per_channel, true});
  const Program real = lower(g, {}, {.numbers = {}, .per_channel = true, .separate = true});
  std::vector<Sums> sums(g.nodes.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const auto channels = static_cast<std::size_t>(g.shape(g.nodes[i].output).back());
    sums[i].signal.resize(channels), sums[i].noise.resize(channels);
  }
  std::mutex mutex;
  Progress progress("comparing", samples.count());
  in_starts(samples.count(), samples.samples_a_start(), [&](std::size_t begin, std::size_t end) {
    Simulator a(real), b(int8);
    for (std::size_t sample = begin; sample < end; ++sample) {
      for (std::size_t i = 0; i < g.inputs.size(); ++i) {
        const std::vector<float> input = samples.read(sample, i);
        a.set_input(i, input), b.set_input(i, input);
      }
      a.run(), b.run();
      const std::lock_guard lock(mutex);
      for (std::size_t i = 0; i < g.nodes.size(); ++i) {
        const int t = g.nodes[i].output;
        add(a.tensor(t), b.tensor(t), int8.scales[static_cast<std::size_t>(t)], sums[i]);
      }
      progress.step();
    }
  });
  std::vector<LayerError> errors;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    LayerError e;
    e.node = i;
    e.worst = std::numeric_limits<double>::infinity();
    double signal = 0, noise = 0;
    const double step = int8.scales[static_cast<std::size_t>(g.nodes[i].output)].scale;
    const double count = sums[i].values / static_cast<double>(sums[i].signal.size());
    for (std::size_t c = 0; c < sums[i].signal.size(); ++c) {
      signal += sums[i].signal[c], noise += sums[i].noise[c];
      const double sqnr = decibels(sums[i].signal[c], sums[i].noise[c]);
      // A channel that never leaves zero by a step is dead, whatever its share of noise.
      const bool alive = sums[i].signal[c] > step * step * count;
      if (alive && sqnr < e.worst) e.worst = sqnr, e.worst_channel = static_cast<int>(c);
    }
    e.sqnr = decibels(signal, noise);
    e.lo = sums[i].lo, e.hi = sums[i].hi;
    e.clipped = sums[i].clipped / std::max(1.0, sums[i].values);
    errors.push_back(e);
  }
  return errors;
}

}  // namespace nnomc
