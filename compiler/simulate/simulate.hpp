/// \file
/// Runs a program on the host, with the kernels, packings and memory plan of the board.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "compiler/program.hpp"

namespace nnomc {

/// `program` packed and planned as this computer runs it fastest: the same layers, the same bytes.
Program for_host(const Program& program);

/// Called after each node; its output lies at `output`, in the program's own numbers. Nodes
/// that keep none (Program::keeps_output) are left out.
using NodeObserver = std::function<void(size_t node, const void* output)>;

/// One run-time state of a program: an arena. Several may run at once on one program.
class Simulator {
 public:
  explicit Simulator(const Program& program);

  /// Writes input i, quantised where the program is.
  void set_input(size_t i, std::span<const float> values);
  /// The bytes of input or output i, as on the board.
  std::span<unsigned char> input_bytes(size_t i);
  std::span<const unsigned char> output_bytes(size_t i) const;

  /// What the program keeps between runs becomes what it is before the first.
  void reset();
  void run(const NodeObserver& observer = {});

  /// Output i as real numbers.
  std::vector<float> output(size_t i) const;
  /// Any tensor as real numbers, while it lives.
  std::vector<float> tensor(int t) const;

 private:
  void call(size_t node, bool reset, int row = -1);
  void run_turns();

  const Program& program_;
  std::vector<unsigned char> memory_;
  unsigned char* arena_;
  std::vector<unsigned char> input_;  ///< what comes row by row
};

/// One inference on real numbers: the outputs, for the inputs given.
std::vector<std::vector<float>> run_once(const Program& program,
                                         const std::vector<std::vector<float>>& inputs);

/// The reference, in double: run_once(lower_float(graph), inputs).
std::vector<std::vector<float>> run_float(const Graph& graph,
                                          const std::vector<std::vector<float>>& inputs);

/// Calls work(i) for i < count on all cores. The first exception thrown is rethrown.
void in_parallel(size_t count, const std::function<void(size_t)>& work);
/// Calls work(begin, end) on all cores for the samples [begin, end) that one Simulator sees:
/// `follow` of them, which keep the state from one to the next.
void in_starts(size_t count, size_t follow, const std::function<void(size_t, size_t)>& work);

}  // namespace nnomc
