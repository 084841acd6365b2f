/// \file
/// How good a model is, counted on the board itself: top-k, confusion matrix, precision and recall;
/// and a single answer. test_run.hpp prints them. No heap, no libc; C++11-clean like model.hpp.
///
///     static nnom::Evaluation<10> evaluation;            // 10 classes, top-1 to top-3
///     for (each sample) {
///       model.run(image, scores);
///       evaluation.add(model, label);
///     }
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nnom/analyse.hpp"
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

/// What a model answers: a class, and the real number its output has for it. That is a probability
/// if the model ends in a Softmax or Sigmoid, else a score of the model's own.
struct Prediction {
  size_t label;
  float score;
};

/// The answer in output 0, after a run. A single number is taken for the probability of class 1 of
/// two, class 0 having what is left.
template <class Graph, class Self>
Prediction predicted(const Interface<Graph, Self>& model) {
  const Quantisation q = Graph::output(0).quantisation;
  const size_t found = best(model.output().data(), model.output().size());
  const float score = q.real(model.output()[found]);
  if (model.output().size() > 1) return {found, score};
  return score > 1.0f - score ? Prediction{1, score} : Prediction{0, 1.0f - score};
}

/// Runs a model on what input() holds.
///
///     model.write(image);
///     nnom::Prediction answer = nnom::predict(model);
template <class Graph, class Self>
Prediction predict(Interface<Graph, Self>& model) {
  model.run();
  return predicted(model);
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
  /// The same of output 0 of a model that has run; a single number is taken as predicted() does.
  template <class Graph, class Self>
  bool add(const Interface<Graph, Self>& model, size_t label) {
    if (model.output().size() > 1) return add(model.output(), label);
    const float one = Graph::output(0).quantisation.real(model.output()[0]);
    const float scores[] = {1.0f - one, one};
    return this->classes() == 2 && add(scores, label);
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

}  // namespace nnom
