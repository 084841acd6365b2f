// The front end and the equaliser as a library, for train.py.
#include "front_end.hpp"

extern "C" {

/// Writes kBands features for each frame; returns how many frames there are.
int features(const int16_t* sound, int hops, int16_t* out) {
  FrontEnd front_end;
  int frames = 0;
  for (int i = 0; i < hops; ++i) {
    front_end.push(sound + i * kHop, kHop);
    int16_t(&frame)[kBands] = *reinterpret_cast<int16_t(*)[kBands]>(out);
    if (!front_end.next(frame, kStored)) continue;
    out += kBands;
    ++frames;
  }
  return frames;
}

/// Writes the energy of each hop in each band, in units of a sample of 1.
void energies(const int16_t* sound, int hops, float* out) {
  constexpr double one = 1 << nnom::dsp::BiquadState::bits;
  for (int k = 0; k < kBands; ++k) {
    const auto filter = nnom::dsp::FixedBiquad::of(kFilters.filter[k]);
    nnom::dsp::BiquadState state{};
    for (int i = 0; i < hops; ++i) {
      double sum = 0;
      for (int j = 0; j < kHop; ++j) {
        const double y = state.step(filter, sound[i * kHop + j] * (1 << state.bits)) / one;
        sum += y * y;
      }
      out[i * kBands + k] = static_cast<float>(sum);
    }
  }
}

/// Filters each hop with gains in units of 2^-15.
void equalise(const int16_t* sound, int hops, const uint16_t* gains, int16_t* out) {
  Equaliser equaliser;
  for (int i = 0; i < hops; ++i) {
    equaliser.set_gains(nnom::Span<const uint16_t, kBands>::at(gains + i * kBands));
    equaliser.run(sound + i * kHop, out + i * kHop, kHop);
  }
}

}  // extern "C"
