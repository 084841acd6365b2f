#include "compiler/data/samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "compiler/data/read.hpp"
#include "compiler/error.hpp"

namespace nnomc {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return shape.empty() ? "a single number" : fmt::format("{}", fmt::join(shape, " x "));
}

std::int64_t samples_in(const Array& array, const Shape& shape) {
  std::vector<std::int64_t> have, want;
  for (const std::int64_t d : array.shape)
    if (d != 1) have.push_back(d);
  for (int i = 0; i < shape.rank; ++i)
    if (shape[i] != 1) want.push_back(shape[i]);
  if (have == want) return 1;
  if (have.empty()) return -1;
  return std::equal(have.begin() + 1, have.end(), want.begin(), want.end()) ? have[0] : -1;
}

namespace {

/// The order of the other layout than the board's, as Graph::input_order has it.
std::vector<int> other_order(int rank, bool channels_first) {
  std::vector<int> order;
  if (rank < 2 || rank > 3) return order;
  for (int i = 0; i < rank; ++i) order.push_back((i + (channels_first ? 1 : rank - 1)) % rank);
  return order;
}

/// For each element of a sample of `shape`, its place in one with the file's order of axes.
std::vector<std::size_t> places_in_file(const Shape& shape, const std::vector<int>& order) {
  std::size_t step_of[6]{}, step = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    step_of[order[i]] = step;
    step *= static_cast<std::size_t>(shape[order[i]]);
  }
  std::vector<std::size_t> places(step, 0);
  for (std::size_t i = 0; i < step; ++i) {
    std::size_t rest = i;
    for (int axis = shape.rank; axis-- > 0;) {
      const auto n = static_cast<std::size_t>(shape[axis]);
      places[i] += rest % n * step_of[axis];
      rest /= n;
    }
  }
  return places;
}

/// How an array lies in its file: how many samples it holds, -1 if they don't fit; and for each
/// element of a sample its place there, or nothing where that is the place in the tensor.
struct Fit {
  std::int64_t count = -1;
  std::vector<std::size_t> places{};
};

Fit fit(const Array& array, const Shape& shape, const std::vector<int>& order) {
  Fit found{samples_in(array, in_file_order(shape, {order}, 0))};
  if (found.count < 0 || order.empty()) return found;
  found.places = places_in_file(shape, order);
  if (std::ranges::is_sorted(found.places)) found.places.clear();  // only axes of size 1 differ
  return found;
}

/// The order of axes that an array has, out of those that it may have.
Fit choose(const Array& array, const std::string& spec, const Tensor& tensor,
           const std::vector<int>& file_order, std::optional<Axes> axes) {
  const Fit file = fit(array, tensor.shape, file_order), board = fit(array, tensor.shape, {});
  if (axes == Axes::automatic && file.count >= 0 && board.count >= 0 && file.places != board.places)
    throw Error(
        "{}: its shape is {}, which the model's input '{}' could have with its channels first or "
        "last: say which with --layout chw or --layout hwc",
        spec, shape_text(array.shape), tensor.name);
  if (board.count >= 0 && axes && axes != Axes::automatic) return board;
  if (file.count >= 0) return file;
  if (board.count >= 0) return board;
  return fit(array, tensor.shape, other_order(tensor.shape.rank, axes == Axes::channels_first));
}

}  // namespace

Samples::Samples(const Graph& graph, const std::vector<std::string>& specs, const Scaling& scaling,
                 std::optional<Axes> axes)
    : names_(specs), scaling_(scaling) {
  if (specs.size() != graph.inputs.size()) {
    std::string inputs;
    for (const int t : graph.inputs) {
      const Tensor& tensor = graph.tensors[static_cast<size_t>(t)];
      inputs += fmt::format("{}'{}' ({})", inputs.empty() ? "" : ", ", tensor.name,
                            to_string(tensor.shape));
    }
    throw Error(
        "{}: the model has {} input{}, in this order: {}; give the data option {}, not {} "
        "time{}",
        graph.file, graph.inputs.size(), graph.inputs.size() == 1 ? "" : "s", inputs,
        graph.inputs.size() == 1 ? "once" : "once for each", specs.size(),
        specs.size() == 1 ? "" : "s");
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    const Tensor& tensor = graph.tensors[static_cast<size_t>(graph.inputs[i])];
    const Shape file = in_file_order(tensor.shape, graph.input_order, i);
    arrays_.push_back(std::make_shared<const Array>(read_data(specs[i], tensor.shape, file)));
    const Array& array = *arrays_.back();
    const Fit found =
        choose(array, specs[i], tensor,
               i < graph.input_order.size() ? graph.input_order[i] : std::vector<int>{}, axes);
    const std::int64_t n = found.count;
    if (n < 0)
      throw Error(
          "{}: its shape is {}, but the model's input '{}' takes samples of {}{}; the first "
          "axis has to count the samples",
          specs[i], shape_text(array.shape), tensor.name, to_string(file),
          file == tensor.shape ? "" : " or " + to_string(tensor.shape));
    if (n == 0)
      throw Error("{}: holds no samples (its shape is {})", specs[i], shape_text(array.shape));
    sizes_.push_back(static_cast<size_t>(tensor.shape.size()));
    places_.push_back(found.places);
    if (i == 0) count_ = static_cast<size_t>(n);
    if (count_ != static_cast<size_t>(n))
      throw Error("{}: holds {} samples, but {} holds {}", specs[i], n, specs[0], count_);
  }
}

Samples Samples::synthetic(const Graph& graph, size_t count) {
  std::mt19937 random(1);
  Samples s;
  s.count_ = count;
  for (const int t : graph.inputs) {
    s.names_.push_back("synthetic data");
    s.sizes_.push_back(static_cast<size_t>(graph.shape(t).size()));
    Array array;
    array.shape = {static_cast<std::int64_t>(count), graph.shape(t).size()};
    array.bytes.resize(count * s.sizes_.back() * sizeof(float));
    for (size_t i = 0; i < array.bytes.size(); i += sizeof(float)) {
      const float value = static_cast<float>(random() >> 8) / static_cast<float>(1 << 24);
      std::memcpy(array.bytes.data() + i, &value, sizeof value);
    }
    s.arrays_.push_back(std::make_shared<const Array>(std::move(array)));
  }
  return s;
}

void Samples::limit(size_t count) { count_ = std::min(count_, count); }

std::vector<float> Samples::read(size_t i, size_t input) const {
  std::vector<float> values(sizes_.at(input));
  arrays_[input]->read(static_cast<std::int64_t>(i * values.size()), values);
  if (scaling_.scale != 1 || scaling_.offset != 0)
    for (float& v : values)
      v = static_cast<float>(static_cast<double>(v) * scaling_.scale + scaling_.offset);
  if (input >= places_.size() || places_[input].empty()) return values;
  std::vector<float> ordered;
  ordered.reserve(values.size());
  for (const std::size_t place : places_[input]) ordered.push_back(values[place]);
  return ordered;
}

Samples::Extent Samples::extent(size_t input) const {
  Extent found{INFINITY, -INFINITY};
  for (size_t i = 0; i < count_; ++i)
    for (const float v : read(i, input)) {
      found.lo = std::min(found.lo, v), found.hi = std::max(found.hi, v);
      found.whole &= v == std::floor(v);
    }
  return found;
}

void Samples::check_finite() const {
  for (size_t input = 0; input < arrays_.size(); ++input)
    for (size_t i = 0; i < count_; ++i) {
      const std::vector<float> values = read(i, input);
      const auto bad =
          std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
      if (bad != values.end())
        throw Error("{}: element {} of sample {} is {}; remove such samples, or repair them",
                    names_[input], bad - values.begin(), i,
                    std::isnan(*bad) ? "not a number" : "infinite");
    }
}

}  // namespace nnomc
