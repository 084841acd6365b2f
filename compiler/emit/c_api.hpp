/// \file
/// A generated model for applications in C.
#pragma once

#include <string>

#include "compiler/emit/emit.hpp"

namespace nnomc {

/// `header` is C99: the model's sizes and scales, and plain functions whose names begin with
/// `options.name`. `source` is C++, to follow the source that emit() gives; it holds the functions
/// and the one object they use. It includes the header as `header_file`.
Generated emit_c_api(const Program& program, const EmitOptions& options,
                     const std::string& header_file);

}  // namespace nnomc
