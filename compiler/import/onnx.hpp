/// \file
/// ONNX models, from the file alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/import/onnx_call.hpp"
#include "compiler/import/onnx_file.hpp"

namespace nnomc {

/// Values for inputs of a model that are to be constants, by name.
using Bindings = std::map<std::string, onnx::Constant>;

/// A graph, and how the file's inputs and outputs lie in it; an output that doesn't depend on any
/// input is a constant.
struct OnnxImport {
  Graph graph;
  onnx::Values inputs;  ///< those not bound
  onnx::Values outputs;
};

/// Turns what an .onnx file holds into a graph. Throws an Error that names every node whose
/// operator is not supported.
OnnxImport import_onnx(const onnx::OnnxFile& file, const Bindings& bindings);

/// The same for a model to be compiled: each of its outputs must be computed.
Graph import_onnx(const onnx::OnnxFile& file);

}  // namespace nnomc
