/// \file
/// From a model of whole sequences to one of their steps.
#pragma once

#include "compiler/graph.hpp"

namespace nnomc {

/// The model that takes one step of a sequence a run and remembers the steps before: for inputs
/// {steps, ...} one for {1, ...}, its recurrent layers stateful, its tensors the same otherwise.
/// Its output after each step is what `graph` gives for the sequence up to that step; one that has
/// a row for each step has this step's row. Throws an Error that names the layer where one needs
/// more than a step at once.
Graph step_by_step(Graph graph);

}  // namespace nnomc
