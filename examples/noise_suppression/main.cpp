// Takes noise from a wav file. Arguments: NOISY.wav OUTPUT.wav [CLEAN.wav]; with the last, what
// NOISY.wav is without noise, the signal-to-noise ratio is printed too. Files are the host's, by
// semihosting; ports/host runs the same source on a PC.
#include "nnom/evaluate.hpp"
#include "noise_suppressor.hpp"
#include "port.hpp"
#include "semihosting.hpp"

namespace {

using nnom::port::print;
using semihosting::File;

[[noreturn]] void fail(const char* what, const char* name) {
  print(what);
  print(name);
  print("\n");
  semihosting::exit(2);
}

/// The samples of a wav file, hop by hop.
class Wav {
 public:
  explicit Wav(const char* name) : file_(name, File::kRead) {
    if (!file_.is_open()) fail("can't open ", name);
    // A header of 44 bytes: 1 is for PCM, one channel, 16,000 samples a second, 16 bits, the data.
    constexpr uint32_t kHeader = 44, kFormat[] = {0x00010001, 16000, 32000, 0x00100002, 0x61746164};
    if (file_.read(header, kHeader) != kHeader || !equal(header + 5, kFormat))
      fail("not a plain wav file of one channel, 16 bits and 16 kHz: ", name);
    samples_ = left_ = header[10] / 2;
  }

  uint32_t samples() const { return samples_; }
  /// Reads a hop, with zeros after the end of the sound.
  void read(int16_t (&hop)[kHop]) {
    const uint32_t wanted = left_ < kHop ? left_ : kHop;
    const uint32_t got = file_.read(hop, wanted * sizeof *hop) / sizeof *hop;
    left_ -= wanted;
    for (uint32_t i = got; i < kHop; ++i) hop[i] = 0;
  }

  uint32_t header[11];

 private:
  static bool equal(const uint32_t* words, const uint32_t (&others)[5]) {
    for (int i = 0; i < 5; ++i)
      if (words[i] != others[i]) return false;
    return true;
  }

  File file_;
  uint32_t samples_ = 0, left_ = 0;
};

/// Adds up the energies of a signal and of what differs from it.
class SignalToNoise {
 public:
  void add(const int16_t (&signal)[kHop], const int16_t (&sound)[kHop]) {
    for (int i = 0; i < kHop; ++i) {
      const int32_t s = signal[i], n = sound[i] - s;
      signal_ += static_cast<uint64_t>(int64_t{s} * s);
      noise_ += static_cast<uint64_t>(int64_t{n} * n);
    }
  }
  /// In tenths of a dB.
  int tenths() const {
    const int log = nnom::dsp::log2_q16(signal_) - nnom::dsp::log2_q16(noise_);
    const int64_t hundredths = int64_t{log} * 30103 / (100 << 16);  // 10 log10(2) = 3.0103
    return static_cast<int>((hundredths + (hundredths < 0 ? -5 : 5)) / 10);
  }

 private:
  uint64_t signal_ = 1, noise_ = 1;
};

/// "SNR before      5.0 dB"
void print_decibels(const char* what, int tenths) {
  nnom::TextLine line;
  line.left(what, 16).append(tenths < 0 ? "-" : " ");
  const auto size = static_cast<uint64_t>(tenths < 0 ? -tenths : tenths);
  line.right(size / 10, 3).append(".").right(size % 10, 1).append(" dB\n");
  print(line.text());
}

/// Cuts a line at its spaces, in place; `words` get the first of them. \return how many there are.
int split(char* line, const char* (&words)[3]) {
  int count = 0;
  while (*line != 0) {
    if (count < 3) words[count] = line;
    ++count;
    while (*line != 0 && *line != ' ') ++line;
    while (*line == ' ') *line++ = 0;
  }
  return count;
}

NoiseSuppressor suppressor;
Equaliser all_pass;  // shifts phases as the suppressor does

/// Before and after: a clean sound, what was heard of it, and what came out. The equaliser's shifts
/// of phase are no noise, so what came out is compared with a clean sound that is shifted too.
struct Comparison {
  explicit Comparison(const char* name) : clean(name) {
    uint16_t ones[kBands];
    for (uint16_t& gain : ones) gain = 32768;
    all_pass.set_gains(ones);
  }
  void add(const int16_t (&noisy)[kHop], const int16_t (&out)[kHop]) {
    int16_t wanted[kHop], shifted[kHop];
    clean.read(wanted);
    all_pass.run(wanted, shifted, kHop);
    before.add(wanted, noisy);
    after.add(shifted, out);
  }
  void print() const {
    print_decibels("SNR before", before.tenths());
    print_decibels("SNR after", after.tenths());
    print_decibels("improvement", after.tenths() - before.tenths());
  }

  Wav clean;
  SignalToNoise before, after;
};

/// Prints a character for each eighth hop: whether somebody spoke.
class VoiceLine {
 public:
  void add(float voice) {
    sum_ += voice;
    if (++hops_ % 8 != 0) return;
    print(sum_ > 4 ? "#" : ".");
    sum_ = 0;
  }

 private:
  float sum_ = 0;
  int hops_ = 0;
};

void write(File& file, const void* data, uint32_t size, const char* name) {
  if (file.write(data, size) != size) fail("can't write ", name);
}

void suppress(const char* from, const char* to, Comparison* comparison) {
  Wav noisy(from);
  File output(to, File::kWrite);
  if (!output.is_open()) fail("can't write ", to);
  write(output, noisy.header, sizeof noisy.header, to);
  print("voice ");
  VoiceLine voice;
  uint64_t ticks = 0;
  int16_t hop[kHop], before[kHop], out[kHop];
  uint32_t left = noisy.samples();
  uint32_t hops = 0;
  for (; hops == 0 || left > 0; ++hops) {
    noisy.read(hop);
    const uint32_t start = nnom::port::ticks();
    suppressor.run(hop, out);
    ticks += nnom::port::ticks() - start;
    if (hops > 0) {
      const uint32_t count = left < kHop ? left : kHop;
      write(output, out, count * sizeof *out, to);
      left -= count;
      voice.add(suppressor.voice());
      if (comparison != nullptr) comparison->add(before, out);
    }
    __builtin_memcpy(before, hop, sizeof before);
  }
  print("\n");
  nnom::TextLine line;
  line.left("time of a hop", 16)
      .right(ticks * 1'000'000 / nnom::port::ticks_per_second() / hops, 6);
  print(line.append(" us\n").text());
}

}  // namespace

int main() {
  static char line[1024];
  const char* names[3];
  const int count = semihosting::command_line(line, sizeof line) < 0 ? 0 : split(line, names);
  if (count != 2 && count != 3) fail("arguments: NOISY.wav OUTPUT.wav [CLEAN.wav]", "");
  if (count == 2) {
    suppress(names[0], names[1], nullptr);
    return 0;
  }
  Comparison comparison(names[2]);
  suppress(names[0], names[1], &comparison);
  comparison.print();
  return 0;
}
