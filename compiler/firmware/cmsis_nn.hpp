/// \file
/// Firmware with the CMSIS-NN that the user has.
#pragma once

#include "compiler/firmware/firmware.hpp"

namespace nnomc {

/// The folder that holds Include/ and Source/: $NNOM_CMSIS_NN, else what CMake was given with
/// -DNNOM_CMSIS_NN. Error if there is none.
std::string cmsis_nn_dir();

/// Adds its headers, and its functions on int8.
void add_cmsis_nn(Build& build);

}  // namespace nnomc
