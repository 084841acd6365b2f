// The application on a board without an operating system: reads a picture of each digit, then shows
// what each layer costs.
#include "digits.hpp"
#include "nnom/evaluate.hpp"
#include "port.hpp"
#include "reader.hpp"

int main() {
  reader::draw(kDigits[7]);
  unsigned right = 0;
  for (unsigned digit = 0; digit < 10; ++digit) right += reader::show(digit) ? 1 : 0;
  nnom::TextLine line;
  nnom::port::print(line.right(right, 1).append(" of 10 right\n\n").text());
  reader::time(1);
  return 0;
}
