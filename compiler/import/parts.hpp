/// \file
/// What the importers do with tensors that are put together of parts.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "nnom/ops/concat.hpp"

namespace nnomc {

/// The most pictures of a batch that are taken one by one: each gets nodes of its own.
constexpr int kMostPictures = 64;

/// As few tensors as one Concat takes, made of `tensors` by join(some of them) where they are more.
std::vector<int> joinable(std::vector<int> tensors, auto join) {
  constexpr size_t kMost = nnom::Concat::max_inputs;
  while (tensors.size() > kMost) {
    std::vector<int> fewer;
    for (size_t i = 0; i < tensors.size(); i += kMost) {
      const auto from = tensors.begin() + static_cast<std::ptrdiff_t>(i);
      const size_t count = std::min(kMost, tensors.size() - i);
      std::vector<int> some(from, from + static_cast<std::ptrdiff_t>(count));
      fewer.push_back(count == 1 ? some[0] : join(std::move(some)));
    }
    tensors = std::move(fewer);
  }
  return tensors;
}

}  // namespace nnomc
