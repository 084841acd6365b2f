/// \file
/// The summary of a test on the board: how many answers were right, which classes were taken for
/// which, how long it took. No heap, no libc; C++11-clean like model.hpp.
///
///     static nnom::TestRun<10, board_ticks> test;        // 10 classes, top-1 to top-3
///     for (each sample) {
///       test.start();
///       model.run();
///       test.add(model, label);
///     }
///     test.print(board_print, board_ticks_per_second);
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nnom/analyse.hpp"
#include "nnom/evaluate.hpp"
#include "nnom/text.hpp"

namespace nnom {

/// Prints the share of right answers, up to top-k.
template <class Counts>
void print_top(const BasicEvaluation<Counts>& e, Print write) {
  for (size_t k = 1; k <= e.depth() && k <= e.classes(); ++k) {
    TextLine line;
    line.append("top-").right(k, 0).percent(e.top(k), e.samples(), 13).append("   ");
    write(line.right(e.top(k), 0).append(" of ").right(e.samples(), 0).append("\n").text());
  }
}

/// Prints the confusion matrix: a row for each right class, with the share of it that was found
/// (recall); a column for each answer, with the share of it that was right (precision). A class
/// that never came, or was never the answer, has "-" there.
template <class Counts>
void print_confusion(const BasicEvaluation<Counts>& e, Print write) {
  size_t width = 5;
  for (uint32_t n = e.samples(); n >= 10000; n /= 10) ++width;
  write("confusion matrix: rows are right classes, columns answers\n         ");
  for (size_t c = 0; c < e.classes(); ++c) write(TextLine().right(c, width).text());
  write("     recall\n");
  for (size_t label = 0; label < e.classes(); ++label) {
    write(TextLine().right(label, 9).text());
    for (size_t c = 0; c < e.classes(); ++c) {
      TextLine cell;
      const uint32_t count = e.confusion(label, c);
      write((count > 0 ? cell.right(count, width) : cell.right(".", width)).text());
    }
    TextLine end;
    write(end.percent(e.confusion(label, label), e.actual(label), 9).append("\n").text());
  }
  write("precision");
  for (size_t c = 0; c < e.classes(); ++c) {
    TextLine cell;
    const uint32_t all = e.predicted(c),
                   share = all > 0 ? (e.confusion(c, c) * 100u + all / 2) / all : 0;
    write((all > 0 ? cell.right(share, width) : cell.right("-", width)).text());
  }
  write(" %\n");
}

/// An evaluation that takes the time of inferences too, in ticks of a clock that may wrap around,
/// but not twice within one of them.
template <size_t Classes, uint32_t (*Clock)(), size_t K = 3>
class TestRun : public Evaluation<Classes, K> {
 public:
  constexpr TestRun() : started_(0), ticks_(0) {}

  /// Begins an inference, which lasts until add().
  void start() { started_ = Clock(); }
  /// Counts a sample; see Evaluation::add.
  template <class... Arguments>
  bool add(const Arguments&... arguments) {
    const uint32_t took = static_cast<uint32_t>(Clock() - started_);
    if (!Evaluation<Classes, K>::add(arguments...)) return false;
    ticks_ += took;
    return true;
  }
  void clear() {
    Evaluation<Classes, K>::clear();
    ticks_ = 0;
  }
  /// Ticks of all inferences together.
  uint64_t ticks() const { return ticks_; }

  /// Prints samples, time, top-k and, for up to 20 classes, the confusion matrix.
  void print(Print write, uint32_t ticks_per_second) const {
    const uint64_t ns = nanoseconds(ticks_, this->samples(), ticks_per_second);
    const uint64_t all = nanoseconds(ticks_, 1, ticks_per_second);
    write(TextLine().append("samples").right(this->samples(), 11).append("\n").text());
    write(TextLine().append("time   ").fixed(all / 1000000, 3, 11).append(" s\n").text());
    write(TextLine().append("average").fixed(ns / 1000, 3, 11).append(" ms\n").text());
    TextLine speed;
    speed.append("speed  ");
    (ns > 0 ? speed.fixed(100000000000 / ns, 2, 11) : speed.right("-", 11));
    write(speed.append(" inferences/s\n").text());
    print_top(*this, write);
    if (Classes <= 20) print_confusion(*this, write);
  }

 private:
  uint32_t started_;
  uint64_t ticks_;
};

}  // namespace nnom
