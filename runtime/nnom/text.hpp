/// \file
/// Lines of text with numbers in them, without libc and heap. C++11-clean.
///
///     nnom::TextLine line;
///     line.left("share", 8).fixed(1234, 2, 6).append(" %\n");   // "share    12.34 %"
///     print(line.text());
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace nnom {

/// Writes a text that ends with 0; a line of it ends with "\n".
typedef void (*Print)(const char* text);

/// One line of a table. What does not fit is cut off.
class TextLine {
 public:
  TextLine() : length_(0) { text_[0] = 0; }
  const char* text() const { return text_; }

  /// Appends `s`, filled up with spaces or cut to `width`.
  TextLine& left(const char* s, size_t width) {
    for (; width > 0; --width) put(*s ? *s++ : ' ');
    return *this;
  }
  /// Appends `s`, with spaces before it up to `width`.
  TextLine& right(const char* s, size_t width) {
    for (const char* c = s; *c && width > 0; ++c) --width;
    for (; width > 0; --width) put(' ');
    return append(s);
  }
  /// Appends `value`, with spaces before it up to `width`.
  TextLine& right(uint64_t value, size_t width) { return fixed(value, 0, width); }
  /// Appends value / 10^decimals (at most 20) with as many decimals, with spaces before it up to
  /// `width`.
  TextLine& fixed(uint64_t value, size_t decimals, size_t width) {
    char digits[24];
    size_t n = 0;
    for (size_t i = 0; i <= decimals || value != 0; ++i, value /= 10) {
      if (i == decimals && i > 0) digits[n++] = '.';
      digits[n++] = static_cast<char>('0' + value % 10);
    }
    for (; width > n; --width) put(' ');
    while (n > 0) put(digits[--n]);
    return *this;
  }
  /// Appends `part` of `whole` in percent, with two decimals and up to `width`; "-" where `whole`
  /// is 0.
  TextLine& percent(uint64_t part, uint64_t whole, size_t width) {
    if (whole == 0) return right("-", width).append("  ");
    return fixed((part * 10000 + whole / 2) / whole, 2, width).append(" %");
  }
  /// Appends a positive number with six digits that count: "0.00392157", "2.5e-12".
  TextLine& real(float value) {
    if (!(value > 0.0f) || value > 3.402823466e38f) return append(value > 0.0f ? "inf" : "0");
    int two = 0, ten = 0;  // value is number * 2^two * 10^ten
    for (; value >= 16777216.0f; ++two) value *= 0.5f;
    for (; value < 8388608.0f; --two) value *= 2.0f;
    uint64_t number = static_cast<uint64_t>(value);
    for (; two > 0; --two) {
      for (; number >= UINT64_MAX / 4; ++ten) number /= 10;
      number *= 2;
    }
    for (; two < 0; ++two) {
      for (; number < UINT64_MAX / 16; --ten) number *= 10;
      number /= 2;
    }
    for (; number >= 10000000; ++ten) number /= 10;
    for (; number < 1000000; --ten) number *= 10;
    number = (number + 5) / 10, ++ten;
    if (number == 1000000) number = 100000, ++ten;
    for (; number % 10 == 0; ++ten) number /= 10;
    return decimal(number, ten);
  }
  TextLine& append(const char* s) {
    while (*s) put(*s++);
    return *this;
  }

 private:
  /// number * 10^ten
  TextLine& decimal(uint64_t number, int ten) {
    int digits = 0;
    for (uint64_t n = number; n > 0; n /= 10) ++digits;
    const int first = digits + ten - 1;  // the power of ten of the first digit
    if (first < -5 || first > 8) {
      fixed(number, static_cast<size_t>(digits - 1), 0).append(first < 0 ? "e-" : "e");
      return right(static_cast<uint64_t>(first < 0 ? -first : first), 0);
    }
    for (; ten > 0; --ten) number *= 10;
    return fixed(number, static_cast<size_t>(-ten), 0);
  }
  void put(char c) {
    if (length_ + 1 < sizeof text_) text_[length_++] = c, text_[length_] = 0;
  }

  char text_[96];
  size_t length_;
};

}  // namespace nnom
