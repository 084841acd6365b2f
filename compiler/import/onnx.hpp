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
  std::string partly{};  ///< see Graph::partly
};

/// Turns what an .onnx file holds into a graph of real numbers, in which quantised tensors are the
/// integers that ONNX says. Throws an Error that names every node whose operator is not supported.
OnnxImport import_onnx(const onnx::OnnxFile& file, const Bindings& bindings);

/// A model to be compiled, each of whose outputs must be computed: quantised if the file quantises
/// all that it computes.
Graph import_onnx(const onnx::OnnxFile& file);

}  // namespace nnomc
