/// \file
/// A model as Python holds it: its file read, and then compiled.
#pragma once

#include <pybind11/pybind11.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/commands/convert.hpp"
#include "compiler/commands/evaluate.hpp"
#include "python/binding/arrays.hpp"

namespace nnomc::binding {

/// The words of a command line, without the command: "model.keras", "--target", "cortex-m4".
using Arguments = std::vector<std::string>;

/// An input or output as Python sees it: its axes in the file's order.
struct Port {
  std::string name;
  pybind11::tuple shape;
  pybind11::tuple order;  ///< axis i of `shape` is axis order[i] on the board
  double scale;           ///< of what the board stores; 0 before it is compiled
  int zero_point, bits;
};

/// A model that is compiled. All methods are called with Python's lock, and give it away for work.
class Model {
 public:
  Model(Graph graph, Compiled compiled, ModelOptions options);

  std::vector<Port> inputs() const;
  std::vector<Port> outputs() const;
  /// One array for each output: real numbers, or what the board stores.
  std::vector<pybind11::array> run(const std::vector<NamedArray>& inputs, const std::string& on,
                                   bool stored) const;
  /// What was measured, as text and as JSON. `arguments` are of `nnom evaluate`, those that the
  /// model was converted with left out.
  std::pair<std::string, std::string> evaluate(const Arguments& arguments,
                                               const std::vector<NamedArray>& data,
                                               const std::vector<NamedArray>& labels) const;
  /// Paths of the files. `arguments` are of `nnom convert`.
  std::vector<std::string> save(const Arguments& arguments) const;
  std::size_t testset(const std::vector<NamedArray>& data, const std::vector<NamedArray>& labels,
                      const std::string& path) const;
  /// Writes a page of HTML; `arguments` are as of evaluate(), `board` may be empty.
  void report(const std::string& path, const Arguments& arguments,
              const std::vector<NamedArray>& data, const std::vector<NamedArray>& labels,
              const std::string& board, bool measure,
              const std::vector<std::string>& classes) const;
  std::string summary(std::size_t width) const;
  /// JSON, see scales_text().
  std::string scales() const;
  /// For each layer: its name, int8 weights, scales and biases, channels first.
  pybind11::list weights() const;

  int arena_bytes() const { return compiled_.program.plan.arena_bytes; }
  std::int64_t weights_bytes() const { return compiled_.program.weights_bytes(); }
  const std::string& calibration() const { return compiled_.calibration; }
  bool stream() const { return options_.compile.stream; }

 private:
  /// What `add` reads from `arguments`, for the model as it was converted.
  template <class Options>
  Options options_of(void (*add)(CLI::App&, Options&), const Arguments& arguments) const;
  Evaluation measure(const Arguments& arguments, const std::vector<NamedArray>& data,
                     const std::vector<NamedArray>& labels) const;

  /// The board of a report where none is named: one with the core that the model was made for.
  std::string usual_board() const;

  Graph graph_;  // as the file has it
  Compiled compiled_;
  ModelOptions options_;
};

/// A model file that is read.
class Network {
 public:
  /// `callbacks`: for layers that are code of the user's own, by name, a function that takes a
  /// list of arrays, one for each input, without the batch axis, and returns the output. `shown`:
  /// what messages call the file.
  Network(const Arguments& arguments, const std::map<std::string, pybind11::function>& callbacks,
          const std::string& shown);

  std::vector<Port> inputs() const;
  bool quantised() const { return graph_.quantised(); }
  std::size_t calibration_samples() const { return options_.calibration_samples; }
  /// Calibrates on `samples`, or on what the arguments say.
  std::unique_ptr<Model> compile(const std::vector<NamedArray>& samples);
  /// What looked wrong in the samples.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  ConvertOptions options_;
  Graph graph_;
  std::vector<std::string> warnings_;
};

}  // namespace nnomc::binding
