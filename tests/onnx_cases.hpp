/// \file
/// Runs ONNX models on given tensors, as ONNX's own tests ask for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/import/onnx.hpp"

namespace nnomc {

/// What the model computes, each output in ONNX's order; `inputs` are those of the file, in its
/// order, and the last `bound` of them are made constants. Throws what the importer throws.
std::vector<onnx::Constant> run_onnx(const onnx::OnnxFile& file,
                                     const std::vector<onnx::Constant>& inputs, size_t bound);

/// "" if `ours` are the values of `wanted`; else the worst difference. `tolerance` is absolute for
/// small values and relative for large ones.
std::string difference(const onnx::Constant& ours, const onnx::Constant& wanted, double tolerance);

/// One folder of ONNX's tests and what became of it.
struct OnnxCase {
  enum class Outcome { passed, unsupported, wrong };

  std::string name, op_type;  ///< "several" for a model of more than one operator
  Outcome outcome = Outcome::wrong;
  std::string message;
};

/// Runs the case in `folder` with as many inputs at run time as can be.
OnnxCase run_case(const std::string& folder);

}  // namespace nnomc
