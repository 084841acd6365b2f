// Listens for ten words with two models, a convolutional and a recurrent one. Runs on any board: it
// needs the generated models, a clock and a way to print (ports/port.hpp). The sound is a file that
// is linked in; a microphone's interrupt would push the same pieces.
#include <stddef.h>
#include <stdint.h>

#include "cnn.hpp"
#include "front_end.hpp"
#include "nnom/evaluate.hpp"
#include "port.hpp"
#include "rnn.hpp"

// words.wav: 16 kHz, 16 bits, one channel. The assembler finds it in the include folders.
asm(".section .rodata\n"
    ".balign 4\n"
    "words_wav: .incbin \"words.wav\"\n"
    "words_wav_end:\n"
    ".previous");
extern "C" const int16_t words_wav[], words_wav_end[];

namespace {

using nnom::port::print;
using nnom::port::ticks;

constexpr const char* kWords[] = {"yes", "no",  "up",   "down", "left",    "right",
                                  "on",  "off", "stop", "go",   "unknown", "silence"};
constexpr size_t kClasses = sizeof kWords / sizeof *kWords, kUnknown = kClasses - 2;
constexpr int kHeader = 22;  // of a wav file, in samples
constexpr int kPiece = 160;  // samples that come at once: 10 ms
constexpr int kStep = 6;     // frames from one look at the last second to the next: 120 ms

/// The features of the last second.
class Window {
 public:
  /// Takes the next frame of the front end, which has one.
  void take(FrontEnd& from) {
    from.next(frames_[oldest_], kStored);
    oldest_ = (oldest_ + 1) % kFrames;
  }
  /// Stores them as a model's input, the oldest first.
  template <class Input>
  void store(const Input& input, const nnom::Quantisation& q) const {
    for (size_t i = 0; i < input.size(); ++i) {
      const size_t frame = (oldest_ + i / FrontEnd::size) % kFrames;
      input[i] = q.stored(static_cast<float>(frames_[frame][i % FrontEnd::size]) / 256);
    }
  }

 private:
  int16_t frames_[kFrames][FrontEnd::size]{};
  size_t oldest_ = 0;
};

/// The mean time of something.
class Stopwatch {
 public:
  template <class Work>
  void time(Work work) {
    const uint32_t before = ticks();
    work();
    sum_ += ticks() - before;
    ++count_;
  }
  void print(const char* name) const {
    nnom::TextLine line;
    const uint64_t all = sum_ * 1'000'000 / nnom::port::ticks_per_second();
    line.left(name, 16).right(count_ > 0 ? all / count_ : 0, 6).append(" us\n");
    nnom::port::print(line.text());
  }

 private:
  uint64_t sum_ = 0;
  uint32_t count_ = 0;
};

nnom::Arena<cnn::Graph, rnn::Graph> arena;  // the models run in turn

/// A model that looks at the last second again and again, and tells a word once.
template <class Graph>
class Listener {
  static_assert(Graph::template Input<0>::size == kFrames * FrontEnd::size, "another window");
  static_assert(Graph::template Output<0>::size == kClasses, "other words");

 public:
  explicit Listener(const char* name) : name_(name) {}

  /// Prints the word that it has just become sure of, if any.
  void look(const Window& window, uint32_t milliseconds) {
    watch_.time([&] {
      window.store(runner_.input(), Graph::input(0).quantisation);
      runner_.run();
    });
    const auto scores = runner_.output();
    const nnom::Quantisation q = Graph::output(0).quantisation;
    for (size_t i = 0; i < kClasses; ++i) heard_[i] += (q.real(scores[i]) - heard_[i]) / 2;
    const size_t word = nnom::best(heard_, kClasses);
    if (heard_[told_] < 0.3f) told_ = kUnknown;
    if (word >= kUnknown || word == told_ || heard_[word] < 0.6f) return;
    told_ = word;
    nnom::TextLine line;
    line.right(milliseconds, 5).append(" ms  ").append(name_).append("  ").left(kWords[word], 6);
    line.right(static_cast<uint64_t>(heard_[word] * 100 + 0.5f), 3).append(" %\n");
    print(line.text());
  }
  void print_time() const { watch_.print(name_); }

 private:
  const char* name_;
  nnom::Runner<Graph> runner_{arena};
  Stopwatch watch_;
  float heard_[kClasses]{};  // probabilities, a mean in which older ones count less and less
  size_t told_ = kUnknown;
};

FrontEnd front_end;
Window window;
Stopwatch watch;
Listener<cnn::Graph> convolutional("CNN");
Listener<rnn::Graph> recurrent("RNN");

}  // namespace

int main() {
  int frames = 0;
  for (const int16_t* piece = words_wav + kHeader; words_wav_end - piece >= kPiece;
       piece += kPiece) {
    front_end.push(piece, kPiece);  // what an interrupt does, and this is what is left to do:
    while (front_end.ready()) {
      watch.time([] { window.take(front_end); });
      if (++frames < static_cast<int>(kFrames) || frames % kStep != 0) continue;
      const int samples = (frames - 1) * kFrontEnd.hop + kFrontEnd.frame;
      const auto now = static_cast<uint32_t>(samples / (kFrontEnd.sample_rate / 1000));
      convolutional.look(window, now);
      recurrent.look(window, now);
    }
  }
  print("\nmean time\n");
  watch.print("MFCC of a frame");
  convolutional.print_time();
  recurrent.print_time();
  return 0;
}
