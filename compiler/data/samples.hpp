/// \file
/// Samples to calibrate on, evaluate on or run: stored arrays, read as what the model was trained
/// on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/io/array.hpp"

namespace nnomc {

/// "500 x 28 x 28"
std::string shape_text(const std::vector<std::int64_t>& shape);

/// How many samples of `shape` an array holds, or -1 if it holds no such samples. Its first axis
/// counts them; axes of size 1 don't matter, and a single sample needs no such axis.
std::int64_t samples_in(const Array& array, const Shape& shape);

/// stored * scale + offset is what the model was trained on.
struct Scaling {
  double scale = 1, offset = 0;
};

/// The order of axes that a model's inputs and outputs have on the board, and so its samples.
/// `automatic`: channels last, and the shape of samples has to tell which order they have.
enum class Axes { automatic, channels_last, channels_first };

/// One array for each input of a model, with one entry a sample on the first axis.
class Samples {
 public:
  /// Reads `specs` (what read_data takes), one for each input of `graph`, in order. Axes of size 1
  /// may be missing or added. Samples may have their channels first or last, whichever the model
  /// has; the shape tells which. Where both fit, those of a graph whose file has another order of
  /// axes are taken as in the file, or, with `axes`, as on the board; Axes::automatic throws an
  /// Error then. Throws an Error that shows both shapes where none fits.
  Samples(const Graph& graph, const std::vector<std::string>& specs, const Scaling& scaling,
          std::optional<Axes> axes = {});
  Samples() = default;
  /// `count` samples of noise, evenly spread from 0 to 1; always the same.
  static Samples synthetic(const Graph& graph, size_t count);

  size_t count() const { return count_; }
  /// Makes them a stream: a model that keeps state sees them one after the other. Else each is
  /// seen by a model that begins anew.
  void make_stream() { stream_ = true; }
  bool is_stream() const { return stream_; }
  /// How many times a model begins anew, and how many samples it sees then.
  size_t starts() const { return stream_ ? 1 : count_; }
  size_t samples_a_start() const { return stream_ ? count_ : 1; }
  /// Drops all but the first `count`.
  void limit(size_t count);
  /// Input `input` of sample `i`, scaled.
  std::vector<float> read(size_t i, size_t input) const;
  /// The least and the largest value of input `input`, scaled; whole if no value has a fraction.
  struct Extent {
    float lo = 0, hi = 0;
    bool whole = true;
  };
  Extent extent(size_t input) const;
  /// Throws an Error that names the array and the place of a value that is not finite.
  void check_finite() const;

 private:
  std::vector<std::string> names_;
  std::vector<std::shared_ptr<const Array>> arrays_;  // copies share them
  std::vector<size_t> sizes_;                         // elements of a sample in each array
  std::vector<std::vector<size_t>> places_;  // of elements in a sample stored in the file's order
  Scaling scaling_;
  size_t count_ = 0;
  bool stream_ = false;
};

}  // namespace nnomc
