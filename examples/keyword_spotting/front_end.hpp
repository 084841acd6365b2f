// What the models hear: MFCC of a second of sound. Training and the board use the same.
#pragma once

#include "nnom/dsp/mfcc.hpp"

inline constexpr nnom::dsp::MfccConfig kFrontEnd{.sample_rate = 16000,
                                                 .frame = 512,
                                                 .hop = 320,
                                                 .bands = 40,
                                                 .low = 60,
                                                 .high = 7600,
                                                 .coefficients = 13,
                                                 .lifter = 22};
constexpr size_t kFrames = 49;  // of a window: a second
using FrontEnd = nnom::dsp::Mfcc<kFrontEnd>;

/// Features are stored in units of 1/256: `nnom convert --scale 1/256`.
constexpr nnom::dsp::Quantiser kStored(1.0f / 256, 0);
