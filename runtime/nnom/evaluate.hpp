/// \file
/// How good and how fast a model is, counted on the board itself: top-k, confusion matrix,
/// precision and recall, time of each layer. No heap, no libc; C++11-clean like model.hpp.
///
///     static nnom::Evaluation<10> evaluation;           // 10 classes, top-1 to top-3
///     static nnom::LayerTimes<mnist::Graph::layer_count, board_ticks> times;
///     for (each sample) {
///       times.start();
///       model.run(times.observer, &times);
///       evaluation.add(model.output(), label);
///     }
///     times.print(board_print, board_ticks_per_second);
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nnom/model.hpp"

namespace nnom {

template <class T>
bool is_nan(T) {
  return false;
}
inline bool is_nan(float v) { return !(v >= 0.0f) && !(v < 0.0f); }
inline bool is_nan(double v) { return !(v >= 0.0) && !(v < 0.0); }

/// True if score `a` beats `b`: it is larger, or a number where `b` is none.
template <class T>
bool beats(T a, T b) {
  return a > b || (is_nan(b) && !is_nan(a));
}

/// The index of the best of `count` scores; of equal ones, the first.
template <class T>
size_t best(const T* scores, size_t count) {
  size_t found = 0;
  for (size_t i = 1; i < count; ++i)
    if (beats(scores[i], scores[found])) found = i;
  return found;
}

/// The place of score `index` among `count` scores: 0 if it is the best.
template <class T>
size_t place(const T* scores, size_t count, size_t index) {
  size_t before = 0;
  for (size_t i = 0; i < count; ++i)
    if (beats(scores[i], scores[index]) || (i < index && !beats(scores[index], scores[i])))
      ++before;
  return before;
}

/// Counts for a number of classes that is known at compile time, and places up to K.
template <size_t Classes, size_t K>
class FixedCounts {
 public:
  constexpr FixedCounts() : cells_(), places_() {}
  static constexpr size_t classes() { return Classes; }
  static constexpr size_t depth() { return K; }

 protected:
  static_assert(Classes > 0 && K > 0, "an evaluation needs classes, and at least top-1");
  uint32_t* cells() { return cells_; }
  uint32_t* places() { return places_; }
  const uint32_t* cells() const { return cells_; }
  const uint32_t* places() const { return places_; }

 private:
  uint32_t cells_[Classes * Classes], places_[K];
};

/// Counts right and wrong answers. `Counts` says how many classes and places there are, and keeps
/// classes() x classes() and depth() numbers, zero at first.
template <class Counts>
class BasicEvaluation : public Counts {
 public:
  constexpr BasicEvaluation() : Counts(), samples_(0) {}
  constexpr explicit BasicEvaluation(const Counts& counts) : Counts(counts), samples_(0) {}

  /// Counts one sample: the scores of all classes, and the right class. Returns false, and counts
  /// nothing, if there is no such class.
  template <class T>
  bool add(const T* scores, size_t label) {
    const size_t n = this->classes();
    if (label >= n) return false;
    const size_t at = place(scores, n, label);
    if (at < this->depth()) ++this->places()[at];
    ++this->cells()[label * n + best(scores, n)];
    ++samples_;
    return true;
  }
  template <class T, size_t N>
  bool add(const Span<T, N>& scores, size_t label) {
    return N == this->classes() && add(static_cast<const T*>(scores.data()), label);
  }

  void clear() {
    for (size_t i = 0; i < this->classes() * this->classes(); ++i) this->cells()[i] = 0;
    for (size_t i = 0; i < this->depth(); ++i) this->places()[i] = 0;
    samples_ = 0;
  }

  uint32_t samples() const { return samples_; }
  /// How many samples had their class among the best k; k above depth() counts as depth().
  uint32_t top(size_t k) const {
    if (k >= this->classes()) return samples_;
    uint32_t sum = 0;
    for (size_t i = 0; i < k && i < this->depth(); ++i) sum += this->places()[i];
    return sum;
  }
  /// The same as a share from 0 to 1; 0 without samples.
  float accuracy(size_t k = 1) const { return share(top(k), samples_); }

  /// How many samples of class `label` were taken for class `predicted`.
  uint32_t confusion(size_t label, size_t predicted) const {
    return this->cells()[label * this->classes() + predicted];
  }
  /// How many samples there were of class c.
  uint32_t actual(size_t c) const {
    uint32_t sum = 0;
    for (size_t i = 0; i < this->classes(); ++i) sum += confusion(c, i);
    return sum;
  }
  /// How many samples were taken for class c.
  uint32_t predicted(size_t c) const {
    uint32_t sum = 0;
    for (size_t i = 0; i < this->classes(); ++i) sum += confusion(i, c);
    return sum;
  }
  /// The share of right ones among those taken for class c; 0 where predicted(c) is.
  float precision(size_t c) const { return share(confusion(c, c), predicted(c)); }
  /// The share of class c's samples that were found; 0 where actual(c) is.
  float recall(size_t c) const { return share(confusion(c, c), actual(c)); }

 private:
  static float share(uint32_t part, uint32_t whole) {
    return whole ? static_cast<float>(part) / static_cast<float>(whole) : 0.0f;
  }

  uint32_t samples_;
};

/// An evaluation of a model with `Classes` outputs, up to top-K.
template <size_t Classes, size_t K = 3>
using Evaluation = BasicEvaluation<FixedCounts<Classes, K>>;

/// One line of a table, without libc. What does not fit is cut off.
class TextLine {
 public:
  TextLine() : length_(0) { text_[0] = 0; }
  const char* text() const { return text_; }

  /// Appends `s`, filled up with spaces or cut to `width`.
  TextLine& left(const char* s, size_t width) {
    for (; width > 0; --width) put(*s ? *s++ : ' ');
    return *this;
  }
  /// Appends `value`, with spaces before it up to `width`.
  TextLine& right(uint64_t value, size_t width) {
    char digits[20];
    size_t n = 0;
    do digits[n++] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    for (; width > n; --width) put(' ');
    while (n > 0) put(digits[--n]);
    return *this;
  }
  TextLine& append(const char* s) {
    while (*s) put(*s++);
    return *this;
  }

 private:
  void put(char c) {
    if (length_ + 1 < sizeof text_) text_[length_++] = c, text_[length_] = 0;
  }

  char text_[96];
  size_t length_;
};

/// An observer that adds up the time of each of a model's `Layers` layers, in ticks of a clock that
/// may wrap around, but not twice within one layer.
template <size_t Layers, uint32_t (*Clock)()>
class LayerTimes {
 public:
  typedef void (*Print)(const char* text);

  constexpr LayerTimes() : last_(0), runs_(0), layers_() {}

  /// Begins an inference.
  void start() {
    ++runs_;
    last_ = Clock();
  }
  /// For run(): `model.run(times.observer, &times)`.
  static void observer(void* times, const LayerInfo& layer) {
    static_cast<LayerTimes*>(times)->add(layer);
  }
  void clear() {
    runs_ = 0;
    for (size_t i = 0; i < Layers; ++i) layers_[i].ticks = 0;
  }

  uint32_t runs() const { return runs_; }
  /// Ticks that a layer took in all inferences together.
  uint64_t ticks(size_t layer) const { return layer < Layers ? layers_[layer].ticks : 0; }
  uint64_t ticks() const {
    uint64_t sum = 0;
    for (size_t i = 0; i < Layers; ++i) sum += layers_[i].ticks;
    return sum;
  }

  /// Prints a table, a line at a time: operations and microseconds of one inference.
  void print(Print write, uint32_t ticks_per_second) const {
    write("layer                 type               operations         us   share\n");
    Layer sum;
    sum.name = "total";
    sum.type = "";
    sum.ticks = ticks();
    for (size_t i = 0; i < Layers; ++i) {
      sum.macs += layers_[i].macs;
      print_line(write, layers_[i], sum.ticks, ticks_per_second);
    }
    print_line(write, sum, sum.ticks, ticks_per_second);
  }

 private:
  struct Layer {
    constexpr Layer() : name(nullptr), type(nullptr), macs(0), ticks(0) {}

    const char* name;
    const char* type;
    uint64_t macs, ticks;
  };

  void add(const LayerInfo& layer) {
    const uint32_t now = Clock();
    if (layer.index < Layers) {
      Layer& l = layers_[layer.index];
      l.name = layer.name;
      l.type = layer.type;
      l.macs = static_cast<uint64_t>(layer.macs);
      l.ticks += static_cast<uint32_t>(now - last_);
    }
    last_ = Clock();  // what was done here is no layer's
  }

  void print_line(Print write, const Layer& l, uint64_t all, uint32_t ticks_per_second) const {
    const uint64_t second = static_cast<uint64_t>(ticks_per_second) * (runs_ ? runs_ : 1);
    const uint64_t us =
        second ? l.ticks / second * 1000000 + l.ticks % second * 1000000 / second : 0;
    TextLine line;
    line.left(l.name ? l.name : "-", 21).append(" ").left(l.type ? l.type : "-", 16).append(" ");
    line.right(l.macs, 12).append(" ").right(us, 10).append(" ");
    line.right(all ? (l.ticks * 100 + all / 2) / all : 0, 5).append(" %\n");
    write(line.text());
  }

  uint32_t last_, runs_;
  Layer layers_[Layers];
};

}  // namespace nnom
