/// \file
/// What an application sees of a model. C++11-clean, so that any project can include a generated
/// header; the arithmetic is in the generated .cpp.
///
///     static mnist::Model model;            // owns its arena; no heap, nothing at start-up
///     float image[784], scores[10];
///     model.run(image, scores);             // a wrong size does not compile
///
/// A model that keeps state between runs (an LSTM, a stream) has `reset()`: the next run is as the
/// first. Before the first it need not be called.
///
/// Re-entrancy: a model has no state but its arena. Different models, and different objects of one
/// model, may run at the same time in different tasks; one object, or two that borrow one arena,
/// must be locked by the caller.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nnom/tensor.hpp"

namespace nnom {

/// Changes when generated code and this library stop fitting together.
enum : int { api_version = 2 };

/// A layer that has just run, for observers.
struct LayerInfo {
  const char* name;    ///< as in the trained model
  const char* type;    ///< "Conv2D"
  unsigned index;      ///< 0 is the first
  int64_t macs;        ///< operations: multiply-accumulates, or elements looked at
  const void* output;  ///< its output, until the next layer has run
  unsigned output_bytes;
};

/// Whether two texts are the same; of use to generated code.
inline bool same_text(const char* a, const char* b) {
  for (; *a && *a == *b; ++a) ++b;
  return *a == *b;
}

/// Called after each layer.
typedef void (*Observer)(void* context, const LayerInfo& layer);

/// Where an input that comes by rows comes from: `read(context, y, to)` writes row y, stored as the
/// model wants it, to `to`. Rows are asked for in order, each once a run.
struct Rows {
  void (*read)(void* context, int y, void* to);
  void* context;
};

/// Memory for the activations of any of the given graphs, one at a time: two models may share one.
template <class... Graphs>
struct Arena;
template <class Graph>
struct Arena<Graph> {
  enum : unsigned { bytes = Graph::arena_bytes };
  alignas(16) unsigned char data[bytes];
};
template <class Graph, class... Graphs>
struct Arena<Graph, Graphs...> {
  enum : unsigned {
    bytes = unsigned(Graph::arena_bytes) > unsigned(Arena<Graphs...>::bytes)
                ? unsigned(Graph::arena_bytes)
                : unsigned(Arena<Graphs...>::bytes)
  };
  alignas(16) unsigned char data[bytes];
};

/// void, for a graph that keeps state between runs; nothing for the others.
template <class Graph>
using WithState = decltype(Graph::reset(static_cast<unsigned char*>(nullptr)));

/// The arena of a Model. With state it begins as zeros, so that a static object is a constant: no
/// code runs at start-up.
template <class Graph, class = void>
struct Owned {
  Arena<Graph> arena;
};
template <class Graph>
struct Owned<Graph, WithState<Graph>> {
  constexpr Owned() : arena() {}
  Arena<Graph> arena;
};

/// Brings a model with state to its start before its first run. Models without are not changed by a
/// byte: for them there is nothing to do.
template <class Graph, class = void>
class Start {
 protected:
  void before_run(unsigned char*) {}
};
template <class Graph>
class Start<Graph, WithState<Graph>> {
 protected:
  void before_run(unsigned char* arena) {
    if (!started_) Graph::reset(arena);
    started_ = true;
  }
  void restart() { started_ = false; }

 private:
  bool started_ = false;
};

/// The type of an input's or output's elements: its own `Stored`, int8_t if it names none.
template <class Tensor, class = void>
struct Element {
  typedef int8_t type;
};
template <class T>
struct Ignore {
  typedef void type;
};
template <class Tensor>
struct Element<Tensor, typename Ignore<typename Tensor::Stored>::type> {
  typedef typename Tensor::Stored type;
};

/// What Model and Runner share: all there is to a model whose arena is known.
template <class Graph, class Self>
class Interface : Start<Graph> {
 public:
  using Input = typename Graph::template Input<0>;
  using Output = typename Graph::template Output<0>;

  /// What an element of input or output I is stored as.
  template <size_t I>
  using InputElement = typename Element<typename Graph::template Input<I>>::type;
  template <size_t I>
  using OutputElement = typename Element<typename Graph::template Output<I>>::type;

  /// Input I as it lies in the arena. run() may overwrite it.
  template <size_t I = 0>
  Span<InputElement<I>, Graph::template Input<I>::size> input() {
    return Span<InputElement<I>, Graph::template Input<I>::size>::at(
        reinterpret_cast<InputElement<I>*>(arena() + Graph::input(I).offset));
  }
  /// Input `i` as bytes; it has Graph::input(i).bytes of them.
  void* input_data(unsigned i) { return arena() + Graph::input(i).offset; }
  /// Output I, valid after run() until an input is written.
  template <size_t I = 0>
  Span<const OutputElement<I>, Graph::template Output<I>::size> output() const {
    return Span<const OutputElement<I>, Graph::template Output<I>::size>::at(
        reinterpret_cast<const OutputElement<I>*>(arena() + Graph::output(I).offset));
  }

  /// Runs the model on what input() holds.
  void run() {
    this->before_run(arena());
    Graph::run(arena());
  }
  /// The same; calls observer(context, layer) after every layer.
  void run(Observer observer, void* context) {
    this->before_run(arena());
    Graph::observe(arena(), observer, context);
  }
  /// Runs a model whose input comes by rows (`nnom convert --input-by-rows`), Graph::input_rows of
  /// them; such a model has no run() on an input that lies in memory.
  ///
  ///     void read_row(void* camera, int y, void* to);
  ///     model.run({read_row, &camera});
  void run(Rows rows) {
    this->before_run(arena());
    Graph::run(arena(), rows);
  }
  void run(Rows rows, Observer observer, void* context) {
    this->before_run(arena());
    Graph::observe(arena(), rows, observer, context);
  }
  /// Runs the layers up to the one of index `last`, and that one: what it gave is in the result,
  /// which is all nulls, and nothing has run, if there is no such layer. Write the input again
  /// before the next run.
  ///
  ///     nnom::LayerInfo stem = model.run_to(model.layer("stem"));
  LayerInfo run_to(unsigned last) {
    if (last >= static_cast<unsigned>(Graph::layer_count)) return LayerInfo();
    this->before_run(arena());
    return Graph::observe(arena(), nullptr, nullptr, last);
  }
  /// The index of the last layer of that name (a layer of the trained model may have become
  /// several); the number of layers if there is none.
  static unsigned layer(const char* name) { return Graph::layer(name); }
  /// Only of models that keep state between runs: the next run is as the first.
  void reset() { this->restart(); }

  /// Runs a model of one input and one output on real numbers.
  void run(Span<const float, Input::size> in, Span<float, Output::size> out) {
    write(in);
    run();
    read(out);
  }
  /// The same on stored values.
  void run(Span<const InputElement<0>, Input::size> in, Span<OutputElement<0>, Output::size> out) {
    for (size_t i = 0; i < Input::size; ++i) input()[i] = in[i];
    run();
    for (size_t i = 0; i < Output::size; ++i) out[i] = output()[i];
  }

  /// Quantises real numbers into input I.
  template <size_t I = 0>
  void write(Span<const float, Graph::template Input<I>::size> in) {
    const Quantisation q = Graph::input(I).quantisation;
    const Span<InputElement<I>, Graph::template Input<I>::size> to = input<I>();
    for (size_t i = 0; i < to.size(); ++i) to[i] = q.stored<InputElement<I>>(in[i]);
  }
  /// Output I as real numbers.
  template <size_t I = 0>
  void read(Span<float, Graph::template Output<I>::size> out) const {
    const Quantisation q = Graph::output(I).quantisation;
    const Span<const OutputElement<I>, Graph::template Output<I>::size> from = output<I>();
    for (size_t i = 0; i < from.size(); ++i) out[i] = q.real(from[i]);
  }

 private:
  unsigned char* arena() { return static_cast<Self*>(this)->arena(); }
  const unsigned char* arena() const { return static_cast<const Self*>(this)->arena(); }
};

/// Runs a model in an arena that it borrows. `Graph` is generated. An arena keeps the state of one
/// model only: where models with state share one, reset() before each goes on.
///
///     static nnom::Arena<kws::Graph, mnist::Graph> arena;
///     nnom::Runner<kws::Graph> runner(arena);
template <class Graph>
class Runner : public Interface<Graph, Runner<Graph>> {
 public:
  /// `arena` is an Arena, or any object with `data` of at least Graph::arena_bytes, 16-byte
  /// aligned.
  template <class A>
  explicit Runner(A& arena) : arena_(arena.data) {
    static_assert(sizeof arena.data >= Graph::arena_bytes, "the arena is too small for the model");
    static_assert(alignof(A) >= 16, "the arena must be aligned to 16 bytes");
  }

 private:
  friend Interface<Graph, Runner>;
  unsigned char* arena() const { return arena_; }

  unsigned char* arena_;
};

/// A model that owns its arena. Place the object (with a section attribute, say) and the arena is
/// placed; a static one lies in .bss.
template <class Graph>
class Model : public Interface<Graph, Model<Graph>> {
  friend Interface<Graph, Model>;
  unsigned char* arena() { return owned_.arena.data; }
  const unsigned char* arena() const { return owned_.arena.data; }

  Owned<Graph> owned_;
};

}  // namespace nnom
