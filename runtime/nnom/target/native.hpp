/// \file
/// Picks the best target for the core being compiled for: the only #if on architectures.
#pragma once

#include "nnom/target/scalar.hpp"

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2)  // with floats
#include "nnom/target/helium.hpp"
namespace nnom {
using Native = target::Helium;
}
#elif defined(__ARM_FEATURE_DSP) && defined(__arm__)
#include "nnom/target/dsp.hpp"
#if defined(__ARM_FP) && (__ARM_FP & 4)
#include "nnom/target/dsp_single.hpp"
#endif
namespace nnom {
using Native = target::Dsp;
}
#else
namespace nnom {
using Native = target::Scalar;
}
#endif
