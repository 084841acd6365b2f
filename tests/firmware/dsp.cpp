// Writes what tests/dsp_bytes.hpp computes into a file of the host. Arguments: FILE, then what to
// count instructions of: "mfcc" (a frame), "fft" (of 512), "equaliser", "cascade" (256 samples).
#include "../dsp_bytes.hpp"
#include "measure.hpp"
#include "semihosting.hpp"

namespace {

using namespace dsp_bytes;

int16_t sound[512], filtered[512];
nnom::dsp::Mfcc<keyword> mfcc;
nnom::dsp::RealFft<512> fft;
nnom::dsp::Cascade<filters> cascade;
nnom::dsp::Equaliser<bands> equaliser;

template <class Run>
void measured(Run run) {
  nnom_measure_begin();
  run();
  nnom_measure_end();
}

void measure(char what) {
  make_sound(sound, 512);
  int32_t features[mfcc.size];
  mfcc.push(sound, 512);
  switch (what) {
    case 'm':
      return measured([&] { mfcc.next(features); });
    case 'f':
      return measured([&] { fft.run(sound); });
    case 'c':
      return measured([&] { cascade.run(sound, filtered, 256); });
    default:
      return measured([&] { equaliser.run(sound, filtered, 256); });
  }
}

}  // namespace

int main() {
  static char name[1024];
  if (semihosting::command_line(name, sizeof name) < 0) return 2;
  char* what = name;
  while (*what != ' ' && *what != 0) ++what;
  if (*what != 0) *what++ = 0;
  measure(*what);
  nnom_measure_finish();
  semihosting::File file(name, semihosting::File::kWrite);
  if (!file.is_open()) return 2;
  bool good = true;
  run([&](const void* data, size_t bytes) {
    const auto size = static_cast<uint32_t>(bytes);
    good &= file.write(data, size) == size;
  });
  return good ? 0 : 2;
}
