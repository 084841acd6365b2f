#include <algorithm>

#include "compiler/import/keras_views.hpp"

namespace nnomc::keras {

int each_step(LayerCall& call, int tensor,
              const std::function<int(int tensor, const std::string& suffix)>& make) {
  const Shape from = call.shape(tensor);
  Shape step{from.rank - 1, {}};
  std::copy_n(from.d + 1, step.rank, step.d);
  std::vector<int> made;
  for (int t = 0; t < from[0]; ++t) {
    const std::string suffix = fmt::format("/{}", t);
    nnom::Slice slice;
    slice.begin[0] = t;
    slice.out = from;
    slice.out.d[0] = 1;
    const int one = call.add(slice, {tensor}, suffix + "/slice");
    const int out = plain(call, make(call.reshape(one, step, suffix + "/step"), suffix));
    Shape to = call.shape(out);
    if (to.rank == 6) call.config.site().fail("not supported: more than six axes");
    std::copy_backward(to.d, to.d + to.rank, to.d + to.rank + 1);
    to.d[0] = 1;
    ++to.rank;
    made.push_back(call.reshape(out, to, suffix + "/back"));
  }
  return joined(call, std::move(made), 0);
}

}  // namespace nnomc::keras
