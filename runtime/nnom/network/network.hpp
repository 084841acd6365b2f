/// \file
/// A network as a constant: its layers, added one by one, with the shapes of what they give.
#pragma once

#include "nnom/execute.hpp"
#include "nnom/network/output_scale.hpp"
#include "nnom/network/text.hpp"
#include "nnom/network/variant.hpp"

namespace nnom {

/// The arithmetics that layers with data of their own may have.
template <template <class...> class List>
using Arithmetics =
    List<Int8<Single, layout::Plain>, Int8<Single, layout::Dsp>, Int8<Single, layout::Vector>,
         Int8<Single, layout::Helium>, Int8<Single, layout::Compact>, Int8<Single, layout::Quads>,
         Int8<Double, layout::Plain>, Int8<Double, layout::Dsp>, Int8<Double, layout::Vector>,
         Int8<Double, layout::Helium>, Int8<Double, layout::Compact>, Int8<Double, layout::Quads>,
         Int8<PowerOfTwo, layout::Plain>, Int8<PowerOfTwo, layout::Dsp>,
         Int8<PowerOfTwo, layout::Vector>, Int8<PowerOfTwo, layout::Helium>,
         Int8<PowerOfTwo, layout::Compact>, Int8<PowerOfTwo, layout::Quads>,
         Int16<Double, layout::Plain>, Int16<Reduced, layout::Plain>,
         Int16<Floating, layout::Plain>, Widening<Single>, Widening<Double>, Narrowing>;

template <class N>
struct IndexOfNumbers {
  template <class... T>
  struct In {
    static constexpr int value = index_of<N, T...>();
    static_assert(value < int{sizeof...(T)}, "this arithmetic is not in nnom::Arithmetics");
  };
  static constexpr int value = Arithmetics<In>::value;
};

/// What a layer gave: the input of others.
struct Tensor {
  int id = -1;
};

struct Node {
  Ops<Variant> op{};
  const char* name = "";
  int in[8]{}, inputs = 0, out = 0;
  bool alias = false;          ///< its output is its input's memory: nothing runs
  bool limits = false;         ///< it can limit its output's range
  int numbers = -1;            ///< its arithmetic, of Arithmetics; -1: as the whole network
  const void* data = nullptr;  ///< its Op::Data, if that was given
  Settings settings{};
};

/// A tensor that keeps what it holds from one run to the next.
struct VariableInfo {
  int tensor = 0;
  int next = -1;                           ///< the tensor it becomes at the end of a run
  const unsigned char* initial = nullptr;  ///< its bytes before the first run; null: real zeros
};

struct TensorInfo {
  const char* name = "";  ///< of an input or a variable
  Shape shape{};
  Quantisation quantisation = unknown;
  int producer = -1;  ///< a node; -1: none, it is an input
  int root = 0;       ///< the tensor whose memory it is
  int readers = 0;
  int bytes = 0;  ///< of an element; 0: as the whole network
};

/// A network. Functions that add a layer give back its output; `add` and `active` without a tensor
/// take what was added last.
class Network {
 public:
  static constexpr int most_nodes = 256, most_ends = 64, most_tensors = most_nodes + 2 * most_ends;

  Node node[most_nodes]{};
  TensorInfo tensor[most_tensors]{};
  int nodes = 0, tensors = 0;
  int input_of[most_ends]{}, output_of[most_ends]{};  ///< tensors
  VariableInfo variable_of[most_ends]{};
  int inputs = 0, outputs = 0, variables = 0;
  Text error{};

  /// An input of the model; `Stored` is int8_t, or int16_t where layers have data for it.
  template <class Stored = int8_t>
  constexpr Tensor input(const char* name, Sizes sizes, Quantisation quantisation = unknown) {
    if (inputs == most_ends) return fail(name, "input", "there are too many inputs");
    const Tensor t = begin<Stored>(name, "input", sizes, quantisation);
    if (t.id >= 0) input_of[inputs++] = t.id;
    return t;
  }
  /// A tensor that keeps what it holds from one run to the next, until `keep` says what it becomes.
  /// `initial` is its bytes before the first run; null stands for real zeros.
  template <class Stored = int8_t>
  constexpr Tensor variable(const char* name, Sizes sizes, Quantisation quantisation,
                            const unsigned char* initial = nullptr) {
    if (variables == most_ends) return fail(name, "variable", "there are too many variables");
    const Tensor t = begin<Stored>(name, "variable", sizes, quantisation);
    if (t.id >= 0) variable_of[variables++] = {t.id, -1, initial};
    return t;
  }
  /// At the end of a run `variable` is what a layer gave: `next`, that no later layer reads
  /// `variable` than the one that made it.
  constexpr void keep(Tensor variable, Tensor next) {
    if (error.any()) return;
    for (int i = 0; i < variables; ++i)
      if (variable_of[i].tensor == variable.id && known(next) && tensor[next.id].producer >= 0) {
        variable_of[i].next = next.id;
        ++tensor[next.id].readers;
        return;
      }
    fail("keep", "variable", "it takes a variable, and what a layer gave");
  }
  /// An output of the model: what was added last, or any tensor.
  constexpr void output(Tensor t) {
    if (error.any()) return;
    if (outputs == most_ends || !known(t)) {
      fail("output", "output", outputs == most_ends ? "there are too many" : "it is no tensor");
      return;
    }
    output_of[outputs++] = t.id;
    ++tensor[t.id].readers;
  }
  constexpr void output() { output(last_); }

  /// Adds a layer behind the last.
  template <class Op, class Prepare>
  constexpr Tensor add(const char* name, const Layer<Op, Prepare>& layer) {
    return hook(name, layer, last_);
  }
  /// Hooks a layer to tensors.
  template <class Op, class Prepare, class... T>
  constexpr Tensor hook(const char* name, const Layer<Op, Prepare>& layer, T... tensors_in) {
    const Tensor in[] = {tensors_in...};
    return append(name, layer, in, int{sizeof...(T)});
  }
  /// A layer of any op with data that is there already. `data` must outlive the model; `out` is the
  /// quantisation of its output.
  template <class Op, class Data, class... T>
  constexpr Tensor layer(const char* name, const Op& op, const Data& data, Quantisation out,
                         T... tensors_in) {
    using N = typename Data::Numbers;
    const Tensor in[sizeof...(T) + 1] = {tensors_in...};
    Layer<Op> given{op};
    given.settings.out = out;
    const Tensor t = append(name, given, in, int{sizeof...(T)}, &data);
    if (error.any()) return t;
    node[nodes - 1].numbers = IndexOfNumbers<N>::value;
    tensor[t.id].bytes = int{sizeof(typename N::Out)};
    for (int i = 0; i < int{sizeof...(T)}; ++i)
      if (max(tensor[in[i].id].bytes, 1) != int{sizeof(typename N::In)})
        return fail(name, Op::name, "its data is for inputs of another type");
    return t;
  }
  /// Merges tensors: two, or any number of them by layers that take two.
  template <class Op, class Prepare, class... T>
  constexpr Tensor merge(const char* name, const Layer<Op, Prepare>& layer, T... tensors_in) {
    const Tensor in[] = {tensors_in...};
    constexpr int n = sizeof...(T);
    if (Op::max_inputs != 2 || n < 2) return append(name, layer, in, n);
    auto part = layer;
    part.settings.out = unknown;
    Tensor all = in[0];
    for (int i = 1; i < n; ++i) {
      const Tensor both[] = {all, in[i]};
      all = append(name, i + 1 < n ? part : layer, both, 2);
    }
    return all;
  }
  template <class... T>
  constexpr Tensor merge(const char* name, const Average& average, T... tensors_in) {
    Layer<Mul> share;
    share.op.constant = 1;
    share.settings.weights = share_of<int{sizeof...(T)}>;
    share.settings.out = average.out;
    return hook(name, share, merge(name, Layer<Add>{}, tensors_in...));
  }
  /// Attaches an activation to the layer that gave `t`: it takes no memory of its own.
  template <class Prepare>
  constexpr Tensor active(const Layer<Activation, Prepare>& layer, Tensor t) {
    const bool attached = known(t) && tensor[t.id].producer >= 0;
    return append(attached ? node[tensor[t.id].producer].name : "active", layer, &t, 1);
  }
  template <class Prepare>
  constexpr Tensor active(const Layer<Activation, Prepare>& layer) {
    return active(layer, last_);
  }

  constexpr Tensor fail(const char* name, const char* type, const char* why) {
    if (!error.any()) error << "layer '" << name << "' (" << type << "): " << why;
    return {};
  }

 private:
  /// Whether the scale of `t` is only known when it runs.
  constexpr bool scales_itself(Tensor t) const {
    constexpr int index = Ops<Variant>(DynamicSumPool2D{}).index;
    const int producer = tensor[t.id].producer;
    return producer >= 0 && node[producer].op.index == index;
  }
  constexpr bool known(Tensor t) const { return t.id >= 0 && t.id < tensors; }

  template <class Stored>
  constexpr Tensor begin(const char* name, const char* type, const Sizes& sizes,
                         const Quantisation& quantisation) {
    if (sizes.rank < 1 || sizes.size() < 1) return fail(name, type, "it is empty");
    TensorInfo& t = tensor[tensors];
    t.name = name, t.shape = sizes, t.quantisation = quantisation, t.root = tensors;
    t.bytes = sizeof(Stored) == 1 ? 0 : int{sizeof(Stored)};
    return last_ = {tensors++};
  }
  template <class Op, class Prepare>
  constexpr Tensor append(const char* name, const Layer<Op, Prepare>& layer, const Tensor* in,
                          int n, const void* data = nullptr) {
    if (error.any()) return {};
    Op op = layer.op;
    const Settings& settings = layer.settings;
    if (nodes == most_nodes) return fail(name, Op::name, "there are too many layers");
    if (n > min(Op::max_inputs, 8)) return fail(name, Op::name, "it has too many inputs");
    Node& node_ = node[nodes];
    Shape shapes[9]{};
    Quantisation from[9]{unknown, unknown, unknown, unknown, unknown,
                         unknown, unknown, unknown, unknown};
    for (int i = 0; i < n; ++i) {
      if (!known(in[i])) return fail(name, Op::name, "one of its inputs is no tensor");
      if (scales_itself(in[i]))
        return fail(name, Op::name, "only the application knows the scale of its input");
      shapes[i] = tensor[in[i].id].shape;
      from[i] = tensor[in[i].id].quantisation;
      node_.in[i] = in[i].id;
    }
    if (const char* why = n ? layer.prepare(op, shapes[0]) : nullptr)
      return fail(name, Op::name, why);
    const Inferred made = op.infer(shapes, n);
    if (made.error) return fail(name, Op::name, made.error);
    if (made.out.size() < 1) return fail(name, Op::name, "its output is empty");
    if (!data && !fits(name, op, settings)) return {};

    for (int i = 0; i < n; ++i) ++tensor[in[i].id].readers;
    node_.op = Ops<Variant>(op);
    node_.name = name, node_.inputs = n, node_.out = tensors;
    node_.alias = requires { Op::alias; };
    node_.limits = !data && requires(typename Op::template Data<Float<float, layout::Plain>> d) {
      d.clamp;
    };
    node_.data = data, node_.settings = settings;
    TensorInfo& t = tensor[tensors];
    t.shape = made.out, t.producer = nodes++;
    t.root = node_.alias ? tensor[in[0].id].root : tensors;
    t.bytes = n ? tensor[in[0].id].bytes : 0;
    t.quantisation = data ? settings.out : output_scale(op, settings, from, n);
    return last_ = {tensors++};
  }

  /// Whether there are as many weights and biases as the op wants.
  template <class Op>
  constexpr bool fits(const char* name, const Op& op, const Settings& s) {
    const Wanted w = wanted(op);
    const auto is = [&](const char* what, int has, int wants) {
      if (has == wants || error.any()) return;
      fail(name, Op::name, "it takes ");
      error << wants << " " << what << ", not " << has;
    };
    is("weights", s.weights.count, w.weights);
    is("recurrent weights", s.recurrent.count, w.recurrent);
    if (s.bias.count) is("biases", s.bias.count, w.bias);
    if (s.recurrent_bias.count) is("recurrent biases", s.recurrent_bias.count, w.recurrent_bias);
    if (s.weights.scales > 1) is("scales of weights", s.weights.scales, w.bias);
    return !error.any();
  }

  Tensor last_{};
};

}  // namespace nnom
