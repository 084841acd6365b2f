#include "tests/onnx_cases.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>

#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;
using onnx::Constant;

/// The tensors of one kind, "input" or "output"; numpy has no bfloat16, so its bits are stored.
std::vector<Constant> read_tensors(const fs::path& folder, const std::string& kind,
                                   const std::vector<onnx::Port>& ports) {
  std::vector<Constant> tensors;
  for (int i = 0;; ++i) {
    const fs::path path = folder / (kind + "_" + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return tensors;
    tensors.push_back(onnx::parse_onnx_tensor(path, read_file(path)));
    Constant& c = tensors.back();
    if (tensors.size() > ports.size() || ports[tensors.size() - 1].type != onnx::Type::bf16)
      continue;
    if (c.type == onnx::Type::u16)
      for (double& v : c.data) v = double{std::bit_cast<float>(static_cast<uint32_t>(v) << 16)};
    c.type = onnx::Type::bf16;
  }
}

/// How far off a value of this type may be: half-precision numbers are rounded by ONNX, not by us.
double tolerance_of(onnx::Type type) {
  return type == onnx::Type::f16 ? 1e-3 : type == onnx::Type::bf16 ? 1e-2 : 2e-5;
}

/// ONNX computed the window functions' outputs with 3.1415.
bool is_inaccurate(const std::string& name) { return name.find("window") != std::string::npos; }

/// The most inputs that may be bound: a real one is left, if there is any, or what is dequantised.
size_t most_bound(const std::vector<Constant>& inputs, const std::string& op_type) {
  if (op_type.find("Linear") != std::string::npos) return inputs.size() - 1;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (onnx::is_real(inputs[i].type)) return inputs.size() - 1 - i;
  return inputs.size();
}

void run(const fs::path& folder, OnnxCase& result) {
  const fs::path model = folder / "model.onnx";
  const onnx::OnnxFile file = onnx::parse_onnx(model, read_file(model));
  result.op_type = file.nodes.size() == 1 ? file.nodes[0].op_type : "several";
  const std::vector<Constant> inputs =
      read_tensors(folder / "test_data_set_0", "input", file.inputs);
  const std::vector<Constant> wanted =
      read_tensors(folder / "test_data_set_0", "output", file.outputs);
  for (size_t bound = 0;; ++bound) {
    std::vector<Constant> ours;
    try {
      ours = run_onnx(file, inputs, bound);
    } catch (const Error& error) {
      if (result.message.empty()) result.message = error.what();
      if (bound >= most_bound(inputs, result.op_type)) throw Error("{}", result.message);
      continue;
    }
    result.message = ours.size() == wanted.size() ? "" : "another number of outputs";
    for (size_t i = 0; i < std::min(ours.size(), wanted.size()); ++i)
      result.message += difference(
          ours[i], wanted[i], is_inaccurate(result.name) ? 1e-3 : tolerance_of(wanted[i].type));
    if (result.message.empty()) result.outcome = OnnxCase::Outcome::passed;
    return;
  }
}

}  // namespace

std::vector<Constant> run_onnx(const onnx::OnnxFile& file, const std::vector<Constant>& inputs,
                               size_t bound) {
  if (inputs.size() != file.inputs.size()) throw Error("{}: other inputs", file.path);
  Bindings bindings;
  std::vector<Constant> given;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (i + bound >= inputs.size())
      bindings.emplace(file.inputs[i].name, inputs[i]);
    else
      given.push_back(inputs[i]);
  }
  OnnxImport model = import_onnx(file, bindings);
  optimise(model.graph);
  std::vector<std::vector<float>> data, results;
  for (size_t i = 0; i < given.size(); ++i) {
    const onnx::Value& in = model.inputs[i];
    if (in.dims != given[i].dims) throw Error("{}: input {} has another shape", file.path, i);
    data.emplace_back();
    for (const size_t place : onnx::places_in(in.dims, in.layout, in.dims))
      data.back().push_back(static_cast<float>(given[i].data[place]));
  }
  if (!model.graph.outputs.empty()) results = run_float(model.graph, data);
  std::vector<Constant> outputs;
  size_t next = 0;
  for (const onnx::Value& out : model.outputs) {
    if (out.constant) {
      outputs.push_back(*out.constant);
      continue;
    }
    const std::vector<float>& result = results.at(next++);
    Constant c{out.type, out.dims, std::vector<double>(result.size())};
    const std::vector<size_t> places = onnx::places_in(out.dims, out.layout, out.dims);
    for (size_t i = 0; i < result.size(); ++i) c.data[places[i]] = double{result[i]};
    outputs.push_back(std::move(c));
  }
  return outputs;
}

std::string difference(const Constant& ours, const Constant& wanted, double tolerance) {
  if (ours.dims != wanted.dims)
    return fmt::format("shape {} instead of {}", onnx::show(ours.dims), onnx::show(wanted.dims));
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < wanted.data.size(); ++i) {
    // Doubles beyond a float's range are infinite with us.
    const double a = ours.data[i], b = double{static_cast<float>(wanted.data[i])};
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    const double off = std::fabs(a - b) / std::max(1.0, std::fabs(b));
    if (!(off <= worst)) worst = off, at = i;
  }
  if (worst <= tolerance) return "";
  return fmt::format("[{}]: {} instead of {}", at, ours.data[at], wanted.data[at]);
}

OnnxCase run_case(const std::string& folder) {
  OnnxCase result;
  result.name = fs::path(folder).filename();
  try {
    run(folder, result);
  } catch (const Error& error) {
    result.outcome = OnnxCase::Outcome::unsupported;
    result.message = error.what();
  } catch (const std::exception& error) {
    result.message = error.what();
  }
  return result;
}

}  // namespace nnomc
