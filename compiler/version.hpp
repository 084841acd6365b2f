/// \file
/// The version of the compiler, as in `nnom --version` and generated files.
#pragma once

namespace nnomc {

inline constexpr const char* version = NNOM_VERSION;

}  // namespace nnomc
