/// \file
/// Mistakes that samples show: scaled otherwise than those that the model was trained on.
#pragma once

#include <string>
#include <vector>

#include "compiler/data/samples.hpp"
#include "compiler/graph.hpp"

namespace nnomc {

/// What to ask the user about `samples` for `graph`; nothing if they look right. By the *gain* of
/// the first layer with weights, the mean over its channels of the sum of |weight|, times the
/// largest |value| of the input before it:
///
/// - whole numbers from 0 to at most 255 and a gain above 200: trained on 0..1 or -1..1?
/// - numbers within -1..1 and a gain below 0.2: trained on 0..255?
/// - a model that its file quantises: values spread over more than three times of what its input
///   holds, or, ten samples and more, over less than a sixteenth.
std::vector<std::string> doubts(const Graph& graph, const Samples& samples);

}  // namespace nnomc
