/// \file
/// Firmware of a program, as a test needs it.
#pragma once

#include <string>

#include "compiler/emit/emit.hpp"
#include "compiler/firmware/paths.hpp"

namespace nnomc {

/// Builds firmware that runs `program` on `core`, in `folder`; returns its file.
std::string firmware_of(const Program& program, const TempDir& folder, const std::string& core,
                        const std::string& optimise = "-O2", const EmitOptions& options = {});

}  // namespace nnomc
