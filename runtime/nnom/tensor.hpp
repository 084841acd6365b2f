/// \file
/// What an application sees of a model's inputs and outputs: how they store real numbers, where
/// they lie, and views on them. C++11-clean.
///
///     const nnom::Quantisation q = mnist::Graph::input(0).quantisation;
///     model.input()[0] = q.stored(0.5f);    // and q.real(-128) is what a stored value means
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace nnom {

/// What becomes of a real number half way between two stored ones. Desktop TFLite rounds halves to
/// even, and multiplies by 1 / scale where the others divide.
enum class Halves : unsigned char { away_from_zero, to_even, to_even_of_product };

/// real = scale * (stored - zero)
struct Quantisation {
  float scale;
  int zero;
  Halves halves;

  constexpr Quantisation(float s, int z, Halves h = Halves::away_from_zero)
      : scale(s), zero(z), halves(h) {}

  float real(int stored) const { return scale * static_cast<float>(stored - zero); }

  /// The nearest stored value of type T (int8_t or int16_t), limited to what T holds; infinities go
  /// to the ends, NaN to `zero`.
  template <class T = int8_t>
  T stored(float value) const {
    const int highest = sizeof(T) == 1 ? INT8_MAX : INT16_MAX, lowest = -highest - 1;
    const float most = 2 * static_cast<float>(highest + 1);
    const float q = halves == Halves::to_even_of_product ? value * (1.0f / scale) : value / scale;
    if (!(q == q)) return static_cast<T>(zero);
    if (q >= most) return static_cast<T>(highest);
    if (q <= -most) return static_cast<T>(lowest);
    const int whole = static_cast<int>(q);
    const float rest = q - static_cast<float>(whole);                    // exact
    const bool up = halves == Halves::away_from_zero || whole % 2 != 0;  // if it is a half
    const int r = whole + (rest > 0.5f || (rest == 0.5f && up)) -
                  (rest < -0.5f || (rest == -0.5f && up)) + zero;
    return static_cast<T>(r < lowest ? lowest : r > highest ? highest : r);
  }
};

/// Where a model's input or output lies in its arena, both in bytes.
struct Slot {
  unsigned offset, bytes;
  Quantisation quantisation;
};

/// What an input or output is called, and the sizes of its axes, outermost first.
struct Format {
  const char* name;
  int rank;
  int shape[6];
};

/// `T` without const.
template <class T>
struct Mutable {
  typedef T type;
};
template <class T>
struct Mutable<const T> {
  typedef T type;
};

/// A view of N elements; binds to an array, std::array or Span of exactly N.
template <class T, size_t N>
class Span {
 public:
  Span(T (&array)[N]) : data_(array) {}
  Span(const Span& other) = default;
  Span& operator=(const Span& other) = default;
  template <template <class, size_t> class A>
  Span(A<typename Mutable<T>::type, N>& array) : data_(array.data()) {}
  template <template <class, size_t> class A>
  Span(const A<typename Mutable<T>::type, N>& array) : data_(array.data()) {}
  /// Of memory whose size the caller vouches for.
  static Span at(T* data) { return Span(data, 0); }

  T* begin() const { return data_; }
  T* end() const { return data_ + N; }
  T* data() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }
  static constexpr size_t size() { return N; }

 private:
  Span(T* data, int) : data_(data) {}
  T* data_;
};

}  // namespace nnom
