/// \file
/// Picks the best target for the core being compiled for, and the one for little code: the only #if
/// on architectures.
#pragma once

#include "nnom/target/scalar.hpp"

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2)  // with floats
#include "nnom/target/helium.hpp"
namespace nnom {
using Native = target::Helium;
using Small = Native;
}  // namespace nnom
#elif defined(__ARM_FEATURE_DSP) && defined(__arm__)
#include "nnom/target/dsp.hpp"
#if defined(__ARM_FP) && (__ARM_FP & 4)
#include "nnom/target/dsp_single.hpp"
#endif
namespace nnom {
using Native = target::Dsp;
using Small = target::DspSmall;
}  // namespace nnom
#elif defined(__thumb2__)
#include "nnom/target/thumb2.hpp"
namespace nnom {
using Native = target::Thumb2;
using Small = Native;
}  // namespace nnom
#elif defined(__thumb__)
#include "nnom/target/thumb1.hpp"
namespace nnom {
using Native = target::Thumb1;
using Small = Native;
}  // namespace nnom
#elif defined(__riscv_mul) && __riscv_xlen == 32
#include "nnom/target/riscv.hpp"
namespace nnom {
using Native = target::Riscv;
using Small = Native;
}  // namespace nnom
#elif defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__BMI2__)
#include "nnom/target/vnni.hpp"
namespace nnom {
using Native = target::Vnni;
using Small = Native;
}  // namespace nnom
#else
namespace nnom {
using Native = target::Scalar;
using Small = Native;
}  // namespace nnom
#endif
