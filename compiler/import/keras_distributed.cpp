#include <algorithm>

#include "compiler/import/keras_views.hpp"

namespace nnomc::keras {
namespace {

constexpr size_t kMaxNodes = 100000;

/// make(steps, suffix) for each step of time, side by side.
int each_step(LayerCall& call, const std::vector<int>& tensors,
              const std::function<int(const std::vector<int>& steps, const std::string&)>& make) {
  const int count = call.shape(tensors.at(0))[0];
  std::vector<int> made;
  for (int t = 0; t < count; ++t) {
    if (call.session().graph.nodes.size() > kMaxNodes)
      call.config.site().fail("not supported: {} steps one by one", count);
    const std::string suffix = fmt::format("/{}", t);
    std::vector<int> steps;
    for (const int tensor : tensors) {
      const Shape from = call.shape(tensor);
      if (from[0] != count) call.config.site().fail("its inputs have unlike numbers of steps");
      Shape step{from.rank - 1, {}};
      std::copy_n(from.d + 1, step.rank, step.d);
      nnom::Slice slice;
      slice.begin[0] = t;
      slice.out = from;
      slice.out.d[0] = 1;
      steps.push_back(
          call.reshape(call.add(slice, {tensor}, suffix + "/slice"), step, suffix + "/step"));
    }
    const int out = plain(call, make(steps, suffix));
    Shape to = call.shape(out);
    if (to.rank == 6) call.config.site().fail("not supported: more than six axes");
    std::copy_backward(to.d, to.d + to.rank, to.d + to.rank + 1);
    to.d[0] = 1;
    ++to.rank;
    made.push_back(call.reshape(out, to, suffix + "/back"));
  }
  return joined(call, std::move(made), 0);
}

}  // namespace

int add_distributed(LayerCall& call, const LayerRow& row) {
  Session& session = call.session();
  std::vector<LayerCall::Operand> operands = call.operands;
  bool folds = (row.traits & kFolds) && !is_channels_first(call.config);
  std::vector<int> tensors;
  for (LayerCall::Operand& o : operands) {
    if (o.tensor < 0) continue;
    o.tensor = plain(call, o.tensor);
    const int rank = call.shape(o.tensor).rank;
    if (rank < 2) call.config.site().fail("its input has no axis of time");
    tensors.push_back(o.tensor);
    folds = folds && rank == call.shape(tensors[0]).rank;
  }
  if (folds) {
    LayerCall all(session, call.name(), call.config, call.layer(), operands, {{}, 1});
    return row.add(all);
  }
  if (tensors.empty()) call.config.site().fail("it has no inputs");
  return each_step(call, tensors, [&](const std::vector<int>& steps, const std::string& suffix) {
    size_t next = 0;
    for (LayerCall::Operand& o : operands)
      if (o.tensor >= 0) o.tensor = steps[next++];
    LayerCall one(session, call.name() + suffix, call.config, call.layer(), operands);
    return add_layer(one, row);
  });
}

}  // namespace nnomc::keras
