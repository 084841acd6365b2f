#include "compiler/quantise/calibrate.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/error.hpp"
#include "compiler/quantise/histogram.hpp"
#include "compiler/quantise/observe.hpp"
#include "compiler/quantise/scales.hpp"
#include "compiler/report/progress.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

constexpr int64_t kTrialWork =
    300'000'000;                        // operations of the samples contested ranges are decided on
constexpr size_t kContested = 8;        // tensors decided at the output, at most
constexpr double kWorthTrying = 0.8;    // local error, relative to min-max, that makes a contest
constexpr double kWorthKeeping = 0.95;  // error at the output, relative to the best before

Limits choose(const Histogram& h, const Limits& all, Calibration method) {
  if (!(all.width() > 0)) return all;
  switch (method) {
    case Calibration::percentile:
      return h.percentile();
    case Calibration::kl:
      return h.least_divergence();
    case Calibration::mse:
      return h.least_error();
    default:
      return all;
  }
}

/// The tensor that the user calls by `name`: an input, or what a layer gives in the end.
size_t tensor_named(const Graph& graph, const std::string& name) {
  int found = -1;
  for (const int t : graph.inputs)
    if (graph.tensors[static_cast<size_t>(t)].name == name) found = t;
  for (const Node& node : graph.nodes)
    if (node.name == name) found = node.output;
  if (found < 0)
    throw Error("--range {}: {} has no input or layer of that name: `nnom inspect` lists them",
                name, graph.file);
  if (!needs_range(graph, found))
    throw Error("--range {}: its scale follows from its kind or its input, so it takes no range",
                name);
  return static_cast<size_t>(found);
}

size_t trial_samples(const Graph& graph, const Samples& samples) {
  const int64_t affordable = kTrialWork / std::max<int64_t>(graph.macs(), 1);
  return std::min(samples.count(), static_cast<size_t>(std::max<int64_t>(affordable, 16)));
}

/// Real probabilities, as an int8 softmax is too coarse to compare by.
void softmax(std::vector<float>& values) {
  const float top = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (float& v : values) sum += static_cast<double>(v = std::exp(v - top));
  for (float& v : values) v = static_cast<float>(static_cast<double>(v) / sum);
}

/// The error of int8 against float at the outputs, as noise to signal power summed over them.
class OutputError {
 public:
  OutputError(const Program& reference, const Samples& samples, const Lowering& lowering)
      : graph_(reference.graph),
        lowering_(lowering),
        count_(trial_samples(reference.graph, samples)),
        stream_(samples.is_stream()) {
    lowering_.numbers = {true, lowering.numbers.rounding, Layout::vector};
    for (const int t : graph_.outputs) {
      const int p = graph_.producer(t);
      const auto* softmax =
          p >= 0 ? std::get_if<nnom::Softmax>(&graph_.nodes[static_cast<size_t>(p)].op) : nullptr;
      const bool probabilities = softmax && !softmax->log;
      seen_.push_back(probabilities ? graph_.nodes[static_cast<size_t>(p)].inputs[0] : t);
      softmax_.push_back(probabilities);
    }
    for (size_t s = 0; s < count_; ++s) {
      inputs_.emplace_back();
      for (size_t i = 0; i < graph_.inputs.size(); ++i)
        inputs_.back().push_back(samples.read(stream_ ? s : s * samples.count() / count_, i));
    }
    expected_ = run(reference);
  }

  double operator()(const std::vector<Quantisation>& scales) const {
    const auto got = run(lower(graph_, scales, lowering_));
    double total = 0;
    for (size_t o = 0; o < seen_.size(); ++o) {
      double noise = 0, signal = 0;
      for (size_t s = 0; s < count_; ++s)
        for (size_t k = 0; k < got[s][o].size(); ++k) {
          const auto want = static_cast<double>(expected_[s][o][k]);
          const double off = static_cast<double>(got[s][o][k]) - want;
          noise += off * off, signal += want * want;
        }
      total += noise / std::max(signal, 1e-30);
    }
    return total;
  }

 private:
  using Values = std::vector<std::vector<std::vector<float>>>;  // [sample][output][element]

  Values run(const Program& program) const {
    Values values(count_);
    in_starts(count_, stream_ ? count_ : 1, [&](size_t begin, size_t end) {
      Simulator simulator(program);
      for (size_t s = begin; s < end; ++s) {
        for (size_t i = 0; i < inputs_[s].size(); ++i) simulator.set_input(i, inputs_[s][i]);
        values[s].resize(seen_.size());
        simulator.run([&](size_t node, const void*) {
          for (size_t o = 0; o < seen_.size(); ++o)
            if (program.graph.nodes[node].output == seen_[o]) {
              values[s][o] = simulator.tensor(seen_[o]);
              if (softmax_[o]) softmax(values[s][o]);
            }
        });
      }
    });
    return values;
  }

  const Graph& graph_;
  Lowering lowering_;
  size_t count_;
  bool stream_;
  std::vector<int> seen_;      // the tensor compared for each output
  std::vector<bool> softmax_;  // whether it goes through a softmax first
  std::vector<std::vector<std::vector<float>>> inputs_;
  Values expected_;
};

/// The choice of each tensor's limits, screened by the tensor's own error: what is clearly better
/// there is tried at the output, the largest gains first, and kept where the output agrees.
void decide(const Program& reference, const Samples& samples, const Lowering& lowering,
            const std::vector<Histogram>& histogram, const std::vector<bool>& fixed,
            std::vector<Limits>& limits, Ranges& ranges) {
  constexpr Calibration kMethods[] = {Calibration::mse, Calibration::kl, Calibration::percentile};
  struct Contest {
    size_t tensor;
    double gain;
  };
  std::vector<Contest> contests;
  for (size_t t = 0; t < limits.size(); ++t) {
    if (fixed[t] || !needs_range(reference.graph, static_cast<int>(t)) || !(limits[t].width() > 0))
      continue;
    const double gain =
        histogram[t].error(histogram[t].least_error()) / histogram[t].error(limits[t]);
    if (gain < kWorthTrying) contests.push_back({t, gain});
  }
  std::stable_sort(contests.begin(), contests.end(),
                   [](const Contest& a, const Contest& b) { return a.gain < b.gain; });
  contests.resize(std::min(contests.size(), kContested));
  if (contests.empty()) return;
  const OutputError error(reference, samples, lowering);
  const Scheme scheme = lowering.numbers.scheme();
  double least = error(scales_of(reference.graph, limits, scheme));
  Progress progress("deciding ranges", contests.size() * std::size(kMethods));
  for (const Contest& c : contests) {
    const Limits all = limits[c.tensor];
    Limits best = all;
    for (const Calibration method : kMethods) {
      limits[c.tensor] = choose(histogram[c.tensor], all, method);
      if (const double e = error(scales_of(reference.graph, limits, scheme));
          e < least * kWorthKeeping) {
        least = e, best = limits[c.tensor];
        ranges.tensors[c.tensor].method = method;
      }
      progress.step();
    }
    limits[c.tensor] = best;
  }
}

/// The range of a difference ends in differences of its operands' steps, so others are half-way
/// between two of its own 255, and no sum can tell to which side. One a hair wider has no such.
void widen_differences(const Graph& graph, std::vector<Limits>& limits) {
  for (const Node& node : graph.nodes) {
    const auto* add = std::get_if<nnom::Add>(&node.op);
    Limits& l = limits[static_cast<size_t>(node.output)];
    if (add && add->rule.minus) l = {l.lo * (1 + 0x1p-10f), l.hi * (1 + 0x1p-10f)};
  }
}

}  // namespace

Ranges calibrate(const Graph& graph, const Samples& samples, Calibration method,
                 const Lowering& lowering, const GivenRanges& given) {
  if (samples.count() == 0) throw Error("{}: calibration needs at least one sample", graph.file);
  if (!graph.variables.empty())
    throw Error("{}: a model of real numbers with variables can't be quantised: export it as int8",
                graph.file);
  const Program reference = lower_float(graph);
  Progress progress("calibrating", samples.count() * (method == Calibration::min_max ? 1 : 2));
  std::vector<Limits> limits = min_max(reference, samples, progress);
  Ranges ranges;
  ranges.tensors.resize(limits.size());
  const std::vector<Limits> found = limits;
  if (lowering.numbers.scheme() == Scheme::affine) widen_differences(graph, limits);
  std::vector<bool> fixed(limits.size());
  for (const auto& [name, range] : given) {
    const size_t t = tensor_named(graph, name);
    limits[t] = range, fixed[t] = true;
  }
  if (method != Calibration::min_max) {
    const auto histogram =
        histograms(reference, samples, found, lowering.numbers.scheme(), progress);
    if (method == Calibration::automatic) {
      decide(reference, samples, lowering, histogram, fixed, limits, ranges);
    } else {
      for (size_t t = 0; t < limits.size(); ++t) {
        if (fixed[t]) continue;
        limits[t] = choose(histogram[t], limits[t], method);
        ranges.tensors[t].method = method;
      }
    }
  }
  for (size_t t = 0; t < limits.size(); ++t)
    ranges.tensors[t].lo = limits[t].lo, ranges.tensors[t].hi = limits[t].hi;
  ranges.scales = scales_of(graph, limits, lowering.numbers.scheme());
  return ranges;
}

}  // namespace nnomc
