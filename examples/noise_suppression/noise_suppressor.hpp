// Takes noise from speech, a hop at a time: MFCC, a recurrent network that keeps its state, an
// equaliser.
#pragma once

#include "denoiser.hpp"
#include "front_end.hpp"

class NoiseSuppressor {
 public:
  /// Takes a hop of sound, and gives the one before it without its noise; silence at first. The
  /// hop of delay lets the network hear both sides of the moment that its gains are for.
  void run(const int16_t (&in)[kHop], int16_t (&out)[kHop]) {
    front_end_.push(in, kHop);
    int16_t features[kBands];
    if (front_end_.next(features, kStored)) set_gains(features);
    equaliser_.run(before_, out, kHop);
    __builtin_memcpy(before_, in, sizeof before_);
  }

  /// How sure the network is that somebody spoke in the hop that `run` gave, from 0 to 1.
  float voice() const { return voice_; }

 private:
  static_assert(denoiser::Graph::Input<0>::size == kBands, "the model hears other features");
  static_assert(denoiser::Graph::Output<0>::size == kBands, "the model has other bands");

  void set_gains(const int16_t (&features)[kBands]) {
    const nnom::Quantisation in = denoiser::Graph::input(0).quantisation;
    for (size_t i = 0; i < kBands; ++i)
      model_.input()[i] = in.stored(static_cast<float>(features[i]) / 256);
    model_.run();
    float real[kBands], voice[1];
    model_.read<0>(real);
    model_.read<1>(voice);
    uint16_t gains[kBands];
    for (size_t i = 0; i < kBands; ++i) gains[i] = static_cast<uint16_t>(real[i] * 32768);
    equaliser_.set_gains(gains);
    voice_ = voice[0];
  }

  FrontEnd front_end_;
  denoiser::Model model_;
  Equaliser equaliser_;
  int16_t before_[kHop]{};
  float voice_ = 0;
};
