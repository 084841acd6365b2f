// Commands of RT-Thread's shell: nnom_draw 7, nnom_run 7, nnom_time 100.
#include <rtthread.h>

#include "digits.hpp"
#include "reader.hpp"

namespace {

/// The first argument as a number, or `otherwise` without one.
unsigned argument(int argc, char** argv, unsigned otherwise) {
  if (argc < 2) return otherwise;
  unsigned number = 0;
  for (const char* c = argv[1]; *c >= '0' && *c <= '9' && number < 100000; ++c)
    number = 10 * number + static_cast<unsigned>(*c - '0');
  return number;
}

}  // namespace

static int nnom_draw(int argc, char** argv) {
  reader::draw(kDigits[argument(argc, argv, 0) % 10]);
  return 0;
}
MSH_CMD_EXPORT(nnom_draw, draw the picture of a digit : nnom_draw 7);

static int nnom_run(int argc, char** argv) {
  const unsigned digit = argument(argc, argv, 10);
  if (digit < 10) {
    reader::show(digit);
  } else {
    for (unsigned each = 0; each < 10; ++each) reader::show(each);
  }
  return 0;
}
MSH_CMD_EXPORT(nnom_run, read the picture of a digit or all : nnom_run 7);

static int nnom_time(int argc, char** argv) {
  reader::time(argument(argc, argv, 100));
  return 0;
}
MSH_CMD_EXPORT(nnom_time, time of each layer over some runs : nnom_time 100);
