/// \file
/// Cuts a stream of samples into frames that overlap.
#pragma once

#include "nnom/core.hpp"

namespace nnom::dsp {

/// Takes samples in pieces of any size and gives frames of `frame`, each `hop` after the one
/// before. Once no frame is ready, `push` takes at least `piece` samples. One interrupt may push
/// while the main loop reads: each side writes an index of its own. 2 * (frame + piece) + 12 bytes,
/// all zero at first.
///
///     nnom::dsp::FrameBuffer<400, 160> buffer;
///     buffer.push(samples, count);                // returns how many it took
///     int16_t frame[400];
///     while (buffer.next(frame)) use(frame);
template <int frame, int hop, int piece = hop>
class FrameBuffer {
  static_assert(frame > 0 && hop > 0 && hop <= frame, "the hop is at least 1 and at most a frame");
  static_assert(piece > 0, "a piece is at least one sample");

 public:
  /// \return how many of the samples it took: fewer than `count` when it is full.
  size_t push(const int16_t* samples, size_t count) {
    const unsigned head = head_, tail = __atomic_load_n(&tail_, __ATOMIC_ACQUIRE);
    const unsigned room = (tail > head ? tail : tail + slots) - head - 1;
    const unsigned taken = count < room ? static_cast<unsigned>(count) : room;
    const unsigned first = taken < slots - head ? taken : slots - head;
    __builtin_memcpy(data_ + head, samples, first * sizeof *samples);
    __builtin_memcpy(data_, samples + first, (taken - first) * sizeof *samples);
    __atomic_store_n(&head_, moved(head, taken), __ATOMIC_RELEASE);
    return taken;
  }

  /// Whether there is a whole frame.
  bool ready() const { return held() >= frame; }

  /// Writes the oldest frame and lets go of its first `hop` samples; false where there is none.
  bool next(int16_t (&out)[frame]) {
    if (!ready()) return false;
    auto from = reader();
    for (int16_t& sample : out) sample = from();
    drop();
    return true;
  }

  /// Gives the samples of the oldest frame one by one.
  class Reader {
   public:
    NNOM_INLINE int16_t operator()() {
      const int16_t sample = *at_++;
      if (at_ == end_) at_ = begin_;
      return sample;
    }

   private:
    friend FrameBuffer;
    Reader(const int16_t* at, const int16_t* begin) : at_(at), begin_(begin), end_(begin + slots) {}
    const int16_t *at_, *begin_, *end_;
  };
  Reader reader() const { return {data_ + tail_, data_}; }

  /// The sample before the oldest frame, 0 before the first.
  int16_t before() const { return before_; }

  /// Lets go of a hop.
  void drop() {
    before_ = data_[moved(tail_, hop - 1)];
    __atomic_store_n(&tail_, moved(tail_, hop), __ATOMIC_RELEASE);
  }

  /// As at first. Nothing may push meanwhile.
  void reset() {
    head_ = tail_ = 0;
    before_ = 0;
  }

 private:
  static constexpr unsigned slots = frame + piece;  // one is always free

  static unsigned moved(unsigned at, unsigned by) {
    return at + by < slots ? at + by : at + by - slots;
  }
  unsigned held() const {
    const unsigned head = __atomic_load_n(&head_, __ATOMIC_ACQUIRE);
    return head >= tail_ ? head - tail_ : head + slots - tail_;
  }

  int16_t data_[slots]{};
  unsigned head_ = 0, tail_ = 0;
  int16_t before_ = 0;
};

}  // namespace nnom::dsp
