// What the network hears and what it turns: MFCC of frames, and the bands of an equaliser. Training
// and the program use the same.
#pragma once

#include "nnom/dsp/equaliser.hpp"
#include "nnom/dsp/mfcc.hpp"

constexpr int kBands = 20;
constexpr int kHop = 256;  // samples, 16 ms
inline constexpr nnom::dsp::MfccConfig kFrontEnd{.sample_rate = 16000,
                                                 .frame = 2 * kHop,
                                                 .hop = kHop,
                                                 .bands = kBands,
                                                 .low = 60,
                                                 .high = 7800,
                                                 .coefficients = kBands,
                                                 .lifter = 22};
inline constexpr auto kFilters = nnom::dsp::mel_band_passes<kBands>(16000, 60, 7800);

using FrontEnd = nnom::dsp::Mfcc<kFrontEnd>;
using Equaliser = nnom::dsp::Equaliser<kFilters>;

/// Features are stored in units of 1/256: `nnom convert --scale 1/256`.
constexpr nnom::dsp::Quantiser kStored(1.0f / 256, 0);
