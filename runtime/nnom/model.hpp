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

namespace nnom {

/// Changes when generated code and this library stop fitting together.
enum : int { api_version = 1 };

/// real = scale * (stored - zero)
struct Quantisation {
  float scale;
  int zero;

  float real(int stored) const { return scale * static_cast<float>(stored - zero); }

  /// The nearest stored value, halves away from zero, limited to [-128, 127]; infinities go to the
  /// ends, NaN to `zero`.
  int8_t stored(float value) const {
    const float q = value / scale;
    if (!(q == q)) return static_cast<int8_t>(zero);
    if (q >= 256.0f) return 127;
    if (q <= -256.0f) return -128;
    const int whole = static_cast<int>(q);
    const float rest = q - static_cast<float>(whole);  // exact
    const int r = whole + (rest >= 0.5f) - (rest <= -0.5f) + zero;
    return static_cast<int8_t>(r < -128 ? -128 : r > 127 ? 127 : r);
  }
};

/// Where a model's input or output lies in its arena, both in bytes.
struct Slot {
  unsigned offset, bytes;
  Quantisation quantisation;
};

/// `T` without const.
template <class T>
struct Mutable {
  typedef T type;
};
template <class T>
struct Mutable<const T> {
  typedef T type;
};

/// A view of N elements; binds to an array, std::array or Span of exactly N.
template <class T, size_t N>
class Span {
 public:
  Span(T (&array)[N]) : data_(array) {}
  Span(const Span& other) = default;
  Span& operator=(const Span& other) = default;
  template <template <class, size_t> class A>
  Span(A<typename Mutable<T>::type, N>& array) : data_(array.data()) {}
  template <template <class, size_t> class A>
  Span(const A<typename Mutable<T>::type, N>& array) : data_(array.data()) {}
  /// Of memory whose size the caller vouches for.
  static Span at(T* data) { return Span(data, 0); }

  T* begin() const { return data_; }
  T* end() const { return data_ + N; }
  T* data() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }
  static constexpr size_t size() { return N; }

 private:
  Span(T* data, int) : data_(data) {}
  T* data_;
};

/// A layer that has just run, for observers.
struct LayerInfo {
  const char* name;    ///< as in the trained model
  const char* type;    ///< "Conv2D"
  unsigned index;      ///< 0 is the first
  int64_t macs;        ///< operations: multiply-accumulates, or elements looked at
  const void* output;  ///< its output, until the next layer has run
  unsigned output_bytes;
};

/// Called after each layer.
typedef void (*Observer)(void* context, const LayerInfo& layer);

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

/// Brings a model with state to its start before its first run. Models without are not changed by a
/// byte: for them there is nothing to do.
template <class Graph, class = void>
class Start {
 protected:
  void before_run(unsigned char*) {}
};
template <class Graph>
class Start<Graph, decltype(Graph::reset(static_cast<unsigned char*>(nullptr)))> {
 protected:
  void before_run(unsigned char* arena) {
    if (!started_) Graph::reset(arena);
    started_ = true;
  }
  void restart() { started_ = false; }

 private:
  bool started_ = false;
};

/// What Model and Runner share: all there is to a model whose arena is known.
template <class Graph, class Self>
class Interface : Start<Graph> {
 public:
  using Input = typename Graph::template Input<0>;
  using Output = typename Graph::template Output<0>;

  /// Input I as it lies in the arena. run() may overwrite it.
  template <size_t I = 0>
  Span<int8_t, Graph::template Input<I>::size> input() {
    return Span<int8_t, Graph::template Input<I>::size>::at(bytes(Graph::input(I)));
  }
  /// Output I, valid after run() until an input is written.
  template <size_t I = 0>
  Span<const int8_t, Graph::template Output<I>::size> output() const {
    return Span<const int8_t, Graph::template Output<I>::size>::at(bytes(Graph::output(I)));
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
  /// Only of models that keep state between runs: the next run is as the first.
  void reset() { this->restart(); }

  /// Runs a model of one input and one output on real numbers.
  void run(Span<const float, Input::size> in, Span<float, Output::size> out) {
    write(in);
    run();
    read(out);
  }
  /// The same on stored values.
  void run(Span<const int8_t, Input::size> in, Span<int8_t, Output::size> out) {
    for (size_t i = 0; i < Input::size; ++i) input()[i] = in[i];
    run();
    for (size_t i = 0; i < Output::size; ++i) out[i] = output()[i];
  }

  /// Quantises real numbers into input I.
  template <size_t I = 0>
  void write(Span<const float, Graph::template Input<I>::size> in) {
    const Quantisation q = Graph::input(I).quantisation;
    const Span<int8_t, Graph::template Input<I>::size> to = input<I>();
    for (size_t i = 0; i < to.size(); ++i) to[i] = q.stored(in[i]);
  }
  /// Output I as real numbers.
  template <size_t I = 0>
  void read(Span<float, Graph::template Output<I>::size> out) const {
    const Quantisation q = Graph::output(I).quantisation;
    const Span<const int8_t, Graph::template Output<I>::size> from = output<I>();
    for (size_t i = 0; i < from.size(); ++i) out[i] = q.real(from[i]);
  }

 private:
  unsigned char* arena() { return static_cast<Self*>(this)->arena(); }
  int8_t* bytes(const Slot& slot) { return reinterpret_cast<int8_t*>(arena() + slot.offset); }
  const int8_t* bytes(const Slot& slot) const {
    return reinterpret_cast<const int8_t*>(static_cast<const Self*>(this)->arena() + slot.offset);
  }
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
  unsigned char* arena() { return arena_.data; }
  const unsigned char* arena() const { return arena_.data; }

  Arena<Graph> arena_;
};

}  // namespace nnom
