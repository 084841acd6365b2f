/// \file
/// Why a model can't be built, in words that a compiler shows.
#pragma once

#include "nnom/core.hpp"

namespace nnom {

/// A short text made at compile time.
struct Text {
  char s[160]{};

  constexpr bool any() const { return s[0] != 0; }
  constexpr Text& operator<<(const char* t) {
    int n = 0;
    while (s[n]) ++n;
    while (*t && n < int{sizeof s} - 1) s[n++] = *t++;
    return *this;
  }
  constexpr Text& operator<<(int number) {
    char digits[12]{};
    int i = 11;
    const bool minus = number < 0;
    do digits[--i] = static_cast<char>('0' + (minus ? -(number % 10) : number % 10));
    while ((number /= 10) != 0);
    if (minus) digits[--i] = '-';
    return *this << (digits + i);
  }
};

/// Fails to compile, and shows the text, unless it is empty.
template <Text why>
struct Buildable {
  static_assert(!why.any(), "this model can't be built: the text in Buildable<...> says why");
  static constexpr bool yes = true;
};

}  // namespace nnom
