/// \file
/// A network as what nnom::Model and nnom::Runner run.
#pragma once

#include "nnom/model.hpp"
#include "nnom/network/finish.hpp"
#include "nnom/network/plan.hpp"
#include "nnom/network/quantise_recurrent.hpp"
#include "nnom/network/quantise_values.hpp"

namespace nnom {

/// The arithmetic of layers made by hand: int8, in integers alone, packed for the core that the
/// code is compiled for.
using ByHand = Int8<Double, Native::Preferred>;

/// What `describe` builds, in the arithmetic N: all that is known at compile time.
template <auto describe, class N>
struct Built {
  static constexpr Network net = finished(describe, N::quantised);
  static_assert(Buildable<net.error>::yes);

  /// The number of the layer's arithmetic in a list that begins with N.
  template <int I>
  using NumbersOf =
      typename either<(net.node[I].numbers < 0), TypeAt<0, TypeList<N>>,
                      TypeAt<max(net.node[I].numbers, 0), Arithmetics<TypeList>>>::type;

  template <int I>
  static constexpr auto op = net.node[I].op.template get<net.node[I].op.index>();
  template <int I>
  using Op = typename Mutable<decltype(op<I>)>::type;
  template <int I>
  using Data = typename Op<I>::template Data<NumbersOf<I>>;

  /// Numbers packed for little code have the target for it.
  template <int I>
  using Target = either<compact<NumbersOf<I>>, Small, Native>;

  static constexpr Given given_of(const Node& n) {
    Given g;
    g.name = n.name, g.settings = n.settings;
    for (int k = 0; k < n.inputs; ++k) g.in[k] = net.tensor[n.in[k]].quantisation;
    g.out = net.tensor[n.out].quantisation;
    return g;
  }
  template <int I>
  static constexpr Given given = given_of(net.node[I]);

  template <int I>
  [[gnu::always_inline]] static const Data<I>& data() {
    if constexpr (net.node[I].data != nullptr)
      return *static_cast<const Data<I>*>(net.node[I].data);
    else
      return Constants<Op<I>, N, op<I>, given<I>>::data;
  }

  /// Calls visit.operator()<I>() for the layers [begin, end) that run.
  template <int begin, int end>
  [[gnu::always_inline]] static constexpr void each(auto& visit) {
    if constexpr (end - begin > 1) {
      each<begin, (begin + end) / 2>(visit);
      each<(begin + end) / 2, end>(visit);
    } else if constexpr (end > begin) {
      if constexpr (!net.node[begin].alias) visit.template operator()<begin>();
    }
  }
  [[gnu::always_inline]] static constexpr void each(auto visit) { each<0, net.nodes>(visit); }

  static constexpr MemoryPlan planned() {
    Memory memory[Network::most_nodes]{};
    each([&]<int I>() { memory[I] = op<I>.template memory<NumbersOf<I>>(); });
    return plan_memory(net, memory, int{sizeof(typename N::Out)});
  }
  static constexpr MemoryPlan plan = planned();

  template <int I>
  static constexpr Buffers<Op<I>> buffers_of() {
    const Node& n = net.node[I];
    Buffers<Op<I>> b;
    for (int k = 0; k < n.inputs; ++k) b.in[k] = {plan.tensor[n.in[k]], in_pitch(op<I>)};
    b.out = {plan.tensor[n.out], out_pitch(op<I>)};
    b.scratch = plan.scratch[I];
    if constexpr (keeps_state<Op<I>>) b.state = plan.state[I];
    return b;
  }
  template <int I>
  static constexpr Buffers<Op<I>> buffers = buffers_of<I>();

  static constexpr unsigned bytes_of(int t) {
    const TensorInfo& info = net.tensor[t];
    return static_cast<unsigned>(info.shape.size() *
                                 (info.bytes ? info.bytes : int{sizeof(typename N::Out)}));
  }
  static constexpr int64_t operations() {
    int64_t sum = 0;
    each([&]<int I>() { sum += op<I>.macs(); });
    return sum;
  }
  static constexpr unsigned layers() {
    unsigned n = 0;
    each([&]<int I>() { ++n; });
    return n;
  }

  /// Bounds become constants where that pays most for its code: in first layers.
  template <int I>
  [[gnu::always_inline]] static void run(unsigned char* arena) {
    if constexpr (__is_same(Op<I>, Conv2D)) {
      if constexpr (op<I>.in.c < 4) {
        run_layer<Target<I>>(fixed<op<I>>, data<I>(), buffers<I>, arena);
        return;
      }
    }
    run_layer<Target<I>>(op<I>, data<I>(), buffers<I>, arena);
  }

  static Slot slot(int t) {
    return {static_cast<unsigned>(plan.tensor[t]), bytes_of(t), net.tensor[t].quantisation};
  }
  static Format format(int t) {
    const TensorInfo& info = net.tensor[t];
    Format f{info.producer < 0 ? info.name : net.node[info.producer].name, info.shape.rank, {}};
    for (int i = 0; i < info.shape.rank; ++i) f.shape[i] = info.shape[i];
    return f;
  }
};

/// `reset`, of graphs that keep state between runs.
template <class B, bool = B::plan.has_state>
struct Resettable {};
template <class B>
struct Resettable<B, true> {
  /// What is kept between runs becomes what it is before the first.
  static void reset(unsigned char* arena) {
    B::each([=]<int I>() {
      reset_layer(B::template op<I>, B::template data<I>(), B::template buffers<I>, arena);
    });
    for (int i = 0; i < B::net.variables; ++i) {
      const VariableInfo& v = B::net.variable_of[i];
      const TensorInfo& t = B::net.tensor[v.tensor];
      unsigned char* const to = arena + B::plan.tensor[v.tensor];
      if (v.initial)
        __builtin_memcpy(to, v.initial, B::bytes_of(v.tensor));
      else
        __builtin_memset(to, t.quantisation.zero, B::bytes_of(v.tensor));
    }
  }
};

/// The type of an input's or output's elements.
template <int bytes, class N>
struct ElementOf {
  typedef typename N::Out Stored;
};
template <class N>
struct ElementOf<2, N> {
  typedef int16_t Stored;
};

/// The network that `describe`, a constexpr function or a lambda without captures, builds:
///
///     constexpr void digits(nnom::Network& m) { ... }
///     static nnom::Model<nnom::Graph<digits>> model;
///
/// Layers without data of their own compute in the arithmetic N. A model that can't be built does
/// not compile; the compiler's message shows the layer and why.
template <auto describe, class N = ByHand>
struct Graph : Resettable<Built<describe, N>> {
  using B = Built<describe, N>;

  enum : unsigned {
    arena_bytes = unsigned(B::plan.arena_bytes),  ///< RAM
    input_count = unsigned(B::net.inputs),
    output_count = unsigned(B::net.outputs),
    layer_count = B::layers()
  };
  /// Multiply-accumulates, and elements that other layers look at.
  enum : unsigned long long { operations = static_cast<unsigned long long>(B::operations()) };

  template <size_t I>
  struct Input : ElementOf<B::net.tensor[B::net.input_of[I]].bytes, N> {
    static_assert(I < input_count, "the model has fewer inputs");
    enum : unsigned { size = unsigned(B::net.tensor[B::net.input_of[I]].shape.size()) };
  };
  template <size_t I>
  struct Output : ElementOf<B::net.tensor[B::net.output_of[I]].bytes, N> {
    static_assert(I < output_count, "the model has fewer outputs");
    enum : unsigned { size = unsigned(B::net.tensor[B::net.output_of[I]].shape.size()) };
  };

  static Slot input(unsigned i) { return B::slot(B::net.input_of[i]); }
  static Slot output(unsigned i) { return B::slot(B::net.output_of[i]); }
  static Format input_format(unsigned i) { return B::format(B::net.input_of[i]); }
  static Format output_format(unsigned i) { return B::format(B::net.output_of[i]); }

  static void run(unsigned char* arena) {
    B::each([=]<int I>() NNOM_INLINE { B::template run<I>(arena); });
  }
  /// Runs up to layer `last`, and tells of it; the observer, if any, hears of every layer.
  static LayerInfo observe(unsigned char* arena, Observer observer, void* context,
                           unsigned last = ~0u) {
    LayerInfo reached{};
    unsigned index = 0;
    const auto tell = [&](const char* name, const char* type, int64_t macs, const void* output,
                          unsigned bytes) __attribute__((noinline)) {
      reached = {name, type, index++, macs, output, bytes};
      if (observer) observer(context, reached);
    };
    B::each([&]<int I>() {
      if (index > last) return;
      B::template run<I>(arena);
      const auto& op = B::template op<I>;
      tell(B::net.node[I].name, op.name, op.macs(), arena + B::template buffers<I>.out.offset,
           B::bytes_of(B::net.node[I].out));
    });
    return reached;
  }
  /// The index of the last layer of that name, layer_count if there is none.
  static unsigned layer(const char* name) {
    unsigned index = 0, found = layer_count;
    B::each([&]<int I>() {
      if (same_text(name, B::net.node[I].name)) found = index;
      ++index;
    });
    return found;
  }
};

}  // namespace nnom
