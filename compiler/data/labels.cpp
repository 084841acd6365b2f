#include "compiler/data/labels.hpp"

#include <cmath>

#include "compiler/data/read.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "nnom/evaluate.hpp"

namespace nnomc {
namespace {

void check_count(const std::string& spec, std::int64_t labels, std::size_t samples) {
  if (static_cast<std::size_t>(labels) != samples)
    throw Error("{}: holds labels for {} samples, but the data holds {}", spec, labels, samples);
}

/// What labels may be given as: an array, a table, or the folder of the samples themselves.
Array read_labels(const std::string& spec) {
  if (spec.ends_with(".csv")) return read_csv(spec);
  if (!is_directory(spec)) return read_array(spec);
  const MediaFolder media = list_media(spec);
  if (media.classes.empty())
    throw Error("{}: its files lie in no folders, which would be the classes", spec);
  Array array;
  array.dtype = DType::u32;
  array.shape = {static_cast<std::int64_t>(media.classes.size())};
  const auto bytes = std::as_bytes(std::span(media.classes));
  array.bytes.assign(bytes.begin(), bytes.end());
  return array;
}

/// The class that a whole number stands for.
std::uint32_t class_of(const std::string& spec, double value, std::size_t classes,
                       std::int64_t sample) {
  if (!(value == std::floor(value)))
    throw Error("{}: label {} of sample {} is no whole number, so no class", spec, value, sample);
  if (value < 0 || value >= static_cast<double>(classes))
    throw Error("{}: label {} of sample {} is no class of the model: it has classes 0 to {}", spec,
                value, sample, classes - 1);
  return static_cast<std::uint32_t>(value);
}

}  // namespace

std::vector<std::uint32_t> read_classes(const std::string& spec, std::size_t classes,
                                        std::size_t samples) {
  const Array array = read_labels(spec);
  const std::int64_t single = samples_in(array, {});
  const std::int64_t several = samples_in(array, {1, {static_cast<int>(classes)}});
  std::vector<std::uint32_t> labels;
  // As many numbers as there are classes may also be one sample's scores.
  if (several >= 0 && (single < 0 || (several == 1 && samples == 1))) {
    check_count(spec, several, samples);
    std::vector<float> scores(classes);
    for (std::int64_t i = 0; i < several; ++i) {
      array.read(i * static_cast<std::int64_t>(classes), scores);
      labels.push_back(static_cast<std::uint32_t>(nnom::best(scores.data(), classes)));
    }
    return labels;
  }
  if (single < 0)
    throw Error(
        "{}: its shape is {}; labels are one class a sample, or {} numbers a sample "
        "(one-hot)",
        spec, shape_text(array.shape), classes);
  check_count(spec, single, samples);
  for (std::int64_t i = 0; i < single; ++i)
    labels.push_back(class_of(spec, array.at(i), classes, i));
  return labels;
}

std::vector<float> read_targets(const std::string& spec, const Shape& shape, std::size_t samples) {
  const Array array = read_labels(spec);
  const std::int64_t count = samples_in(array, shape);
  if (count < 0)
    throw Error("{}: its shape is {}, but the model's output has {} a sample", spec,
                shape_text(array.shape), to_string(shape));
  check_count(spec, count, samples);
  std::vector<float> values(static_cast<std::size_t>(array.size()));
  array.read(0, values);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw Error("{}: a value of sample {} is not a finite number", spec,
                  i / static_cast<std::size_t>(shape.size()));
  return values;
}

}  // namespace nnomc
