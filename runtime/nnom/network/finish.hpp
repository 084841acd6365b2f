/// \file
/// What becomes of a network once all its layers are there.
#pragma once

#include "nnom/network/network.hpp"

namespace nnom {

/// The limits that an activation is nothing but; lo > hi: it is more.
constexpr Range limits_of(const Node& n) {
  constexpr int activation = Ops<Variant>(Activation{}).index;
  if (n.op.index != activation || n.data) return {};
  const Activation& f = n.op.template get<activation>();
  if (f.function == Function::relu && f.slope == 0 && f.threshold == 0) return {0, double{f.high}};
  if (f.function == Function::clip) return {double{f.threshold}, double{f.high}};
  return {};
}

/// Makes an activation that only limits a range part of the layer before it, if nothing else reads
/// that layer's output.
constexpr void fuse_limits(Network& net) {
  for (int i = 0; i < net.nodes; ++i) {
    Node& n = net.node[i];
    const Range r = limits_of(n);
    if (!(r.lo < r.hi)) continue;
    TensorInfo& t = net.tensor[n.in[0]];
    if (t.readers != 1 || t.producer < 0 || !net.node[t.producer].limits) continue;
    Settings& s = net.node[t.producer].settings;
    s.lo = static_cast<float>(r.lo), s.hi = static_cast<float>(r.hi);
    t.quantisation = net.tensor[n.out].quantisation;
    n.alias = true;
  }
  for (int t = 0; t < net.tensors; ++t) {
    const int p = net.tensor[t].producer;
    if (p >= 0 && net.node[p].alias) net.tensor[t].root = net.tensor[net.node[p].in[0]].root;
  }
}

/// Whether a variable is read by node `from` or a later one.
constexpr bool is_read_after(const Network& net, int variable, int from) {
  for (int i = from; i < net.nodes; ++i)
    for (int k = 0; k < net.node[i].inputs; ++k)
      if (net.tensor[net.node[i].in[k]].root == variable) return true;
  return false;
}

/// Has what a variable becomes made when nothing reads the variable any more: by a copy at the end,
/// where it must be.
constexpr void settle_variables(Network& net) {
  for (int v = 0; v < net.variables; ++v) {
    VariableInfo& variable = net.variable_of[v];
    if (variable.next < 0) continue;
    const char* const name = net.tensor[variable.tensor].name;
    const TensorInfo& next = net.tensor[variable.next];
    if (!(next.shape == net.tensor[variable.tensor].shape)) {
      net.fail(name, "variable", "what it becomes has another shape");
      return;
    }
    bool shared = next.root != variable.next;
    for (int w = 0; w < v; ++w) shared |= net.variable_of[w].next == variable.next;
    if (!shared && !is_read_after(net, variable.tensor, next.producer)) continue;
    if (next.bytes || net.tensor[next.root].producer < 0) {
      net.fail(name, "variable", "what it becomes must be copied first");
      return;
    }
    Layer<Slice> copy;
    copy.op.out = next.shape;
    variable.next = net.hook(name, copy, Tensor{variable.next}).id;
  }
}

/// What `describe` builds. In int8 every scale must be known.
constexpr Network finished(auto describe, bool quantised) {
  Network net;
  describe(net);
  if (net.error.any()) return net;
  if (net.outputs == 0) {
    net.fail("output", "output", "the model has none: call output() after the last layer");
    return net;
  }
  for (int i = 0; !quantised && i < net.nodes; ++i)
    if (net.node[i].data)
      net.fail(net.node[i].name, "real numbers", "it has data of its own, which is quantised");
  settle_variables(net);
  if (net.error.any()) return net;
  fuse_limits(net);
  for (int t = 0; quantised && t < net.tensors; ++t) {
    const TensorInfo& info = net.tensor[t];
    if (is_known(info.quantisation)) continue;
    net.fail(info.producer < 0 ? info.name : net.node[info.producer].name, "int8",
             "the range of its values is not known: give it as nnom::range(lo, hi), or have "
             "nnom::Ranges measure it");
    break;
  }
  return net;
}

}  // namespace nnom
