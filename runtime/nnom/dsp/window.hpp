/// \file
/// Windows as tables, in units of 2^-30.
#pragma once

#include "nnom/dsp/maths.hpp"

namespace nnom::dsp {

enum class Window {
  rectangular,
  hann,     ///< 0.5 - 0.5 cos(2 pi i / n)
  hamming,  ///< 0.54 - 0.46 cos(2 pi i / n)
};

template <int n>
struct WindowTable {
  int32_t value[n];
};

/// `periodic`: as librosa and SciPy have it for spectra, `n` samples are one period. Else as
/// numpy.hanning and numpy.hamming have it, symmetric: `n - 1` are.
template <int n>
constexpr WindowTable<n> make_window(Window window, bool periodic) {
  const double a = window == Window::hann ? 0.5 : window == Window::hamming ? 0.54 : 1;
  WindowTable<n> table{};
  for (int i = 0; i < n; ++i)
    table.value[i] =
        whole((1 << 30) * (a - (1 - a) * cosine(2 * pi * i / (periodic || n == 1 ? n : n - 1))));
  return table;
}

}  // namespace nnom::dsp
