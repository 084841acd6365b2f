/// \file
/// Random layers of every kind, small and oddly shaped; a seed gives the same ones everywhere.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"
#include "compiler/quantise/quantisation.hpp"

namespace nnomc {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  /// A whole number from lo to hi, both included.
  int whole(int lo, int hi) {
    return lo + static_cast<int>(engine_() % static_cast<unsigned>(hi - lo + 1));
  }
  double real(double lo, double hi) {
    return lo + (hi - lo) * static_cast<double>(engine_()) / 4294967296.0;
  }
  /// Normally distributed, near enough.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += real(0, 1);
    return sum;
  }
  bool one_in(int n) { return whole(1, n) == 1; }
  template <class T>
  T of(const std::vector<T>& list) {
    return list[static_cast<size_t>(whole(0, static_cast<int>(list.size()) - 1))];
  }
  template <class T>
  T of(std::initializer_list<T> list) {
    return of(std::vector<T>(list));
  }

 private:
  std::mt19937 engine_;
};

/// The names of all ops that can be made up, as the runtime lists them, and one with its default
/// fields.
std::vector<std::string> op_names();
Op op_named(const std::string& name);

/// Adds a layer of the op `name` that reads `inputs`, with a random geometry they allow, weights
/// that keep the size of values about the same, and sometimes a range. Returns its output's tensor;
/// -1, with the graph as it was, if none fits.
int add_random(Graph& graph, const std::string& name, const std::vector<int>& inputs,
               Random& random);

/// A graph of one layer of the op `name`: its inputs and output are the graph's.
Graph random_layer(const std::string& name, Random& random);

/// A graph of about `layers` layers with up to three inputs: branches, residual additions, joins,
/// chains that can run in place, and outputs in its middle.
Graph random_graph(int layers, Random& random);

/// `blocks` residual blocks of five layers, as in a deep network; always the same.
Graph residual_blocks(int blocks);

/// A random graph that has every op, several inputs and several outputs.
Graph all_ops_graph(unsigned seed);

/// Scales for such graphs: ranges that most of their values lie in and that use int8 well.
std::vector<Quantisation> usual_scales(const Graph& graph, Scheme scheme = Scheme::affine);

/// "Conv2D {.in = {5, 3, 1}, ...}", to find a failing case again.
std::string describe(const Node& node);

/// Whether the op `name` is there in int16.
bool has_int16(const std::string& name);

/// All arithmetics of a whole model: real numbers, and int8 with each rounding and packing.
std::vector<Numbers> all_numbers();
std::string describe(const Numbers& numbers);

}  // namespace nnomc
