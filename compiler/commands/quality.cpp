#include "compiler/commands/quality.hpp"

#include <cmath>
#include <span>

#include "compiler/data/labels.hpp"
#include "compiler/error.hpp"
#include "compiler/metrics.hpp"

namespace nnomc {
namespace {

constexpr std::size_t kMostClasses = 4096;  // of a confusion matrix

}  // namespace

Judge::Judge(const Graph& graph, Metric metric, std::size_t top_k, const Source& labels,
             std::size_t samples)
    : metric_(metric), top_k_(top_k) {
  const Shape& out = graph.shape(graph.outputs[0]);
  output_size_ = static_cast<std::size_t>(out.size());
  const bool like_input = graph.shape(graph.inputs[0]).size() == out.size();
  if (metric == Metric::accuracy) {
    if (labels.empty()) return;
    if (output_size_ > kMostClasses)
      throw Error(
          "{}: its output has {} values, too many to be classes; choose --metric mse or mae",
          graph.file, output_size_);
    classes_ = read_classes(labels, classes_of(output_size_), samples);
  } else if (metric == Metric::auc) {
    reconstructs_ = like_input && output_size_ > 2;
    if (output_size_ > 2 && !reconstructs_)
      throw Error(
          "{}: --metric auc wants one score a sample, two classes, or an autoencoder, but "
          "the output is {} and the input {}",
          graph.file, to_string(out), to_string(graph.shape(graph.inputs[0])));
    if (labels.empty()) throw Error("--metric auc: give the classes, 0 or 1, with --labels");
    classes_ = read_classes(labels, 2, samples);
  } else if (!labels.empty()) {
    targets_ = read_targets(labels, out, samples);
  } else {
    reconstructs_ = like_input;
    if (!reconstructs_)
      throw Error(
          "--metric {}: give what the output should be with --labels; only an autoencoder "
          "needs none",
          name_of(metric));
  }
}

Quality Judge::judge(const Program& program, const Measured& measured,
                     const Samples& samples) const {
  const std::size_t count = samples.count(), size = output_size_;
  const std::vector<float> outputs = output_values(program, measured, 0);
  Quality quality;
  if (metric_ == Metric::accuracy) {
    if (!classes_.empty())
      quality.counts = classify(outputs, std::span(classes_).first(count), size, top_k_);
    return quality;
  }
  const auto error = metric_ == Metric::mae ? mean_absolute_error : mean_squared_error;
  std::vector<double> scores;
  if (reconstructs_) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      scores.push_back(error(std::span(outputs).subspan(i * size, size), samples.read(i, 0)));
      sum += scores.back();
    }
    quality.value = sum / static_cast<double>(count);
  } else if (metric_ != Metric::auc) {
    quality.value = error(outputs, std::span(targets_).first(outputs.size()));
  } else {
    for (std::size_t i = 0; i < count; ++i)
      scores.push_back(static_cast<double>(outputs[i * size + size - 1]));
  }
  if (metric_ == Metric::auc) {
    quality.value = area_under_curve(scores, std::span(classes_).first(count));
    if (std::isnan(*quality.value))
      throw Error("--metric auc: among the {} samples are none of class {}", count,
                  classes_[0] == 0 ? 1 : 0);
  }
  return quality;
}

}  // namespace nnomc
