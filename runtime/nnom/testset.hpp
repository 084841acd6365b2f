/// \file
/// Reads what `nnom testset` writes: samples as a model stores them, and their classes; from flash,
/// or through a function from a card or a line. No heap, no libc; C++11-clean like model.hpp.
///
///     #include "test.hpp"                                // nnom testset ... -o test.hpp
///     nnom::MemoryReader memory = {test, sizeof test};
///     nnom::TestSet set(nnom::MemoryReader::read, &memory);
///     nnom::TestSet::Error error = set.run(model, test_run);   // runs and counts every sample
///
/// The file, all numbers little-endian and without a sign but where noted:
///
///     bytes 0-3    "NNTS"
///     bytes 4-5    1, the version of this layout
///     bytes 6-7    inputs of the model
///     bytes 8-11   samples
///     bytes 12-15  bytes of a label: 1, 2 or 4
///     12 bytes for each input: its bytes in a sample, its scale (float), its zero point (signed)
///     for each sample: its inputs in order, as the model stores them, then its class
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nnom/model.hpp"

namespace nnom {

/// Reads up to `bytes` bytes to `to`, those after the ones read before; returns how many there
/// were. `context` is the caller's own.
typedef size_t (*ReadBytes)(void* context, void* to, size_t bytes);

/// Bytes in flash or RAM, read one after the other.
struct MemoryReader {
  const unsigned char* data;
  size_t size;

  static size_t read(void* memory, void* to, size_t bytes) {
    MemoryReader& m = *static_cast<MemoryReader*>(memory);
    const size_t n = bytes < m.size ? bytes : m.size;
    for (size_t i = 0; i < n; ++i) static_cast<unsigned char*>(to)[i] = m.data[i];
    m.data += n;
    m.size -= n;
    return n;
  }
};

/// A test set, read from its beginning to its end. It may be damaged: what it says is checked
/// before it is used, and nothing is written outside a model's inputs.
class TestSet {
 public:
  enum class Error : unsigned char {
    none,
    not_a_test_set,  ///< it begins otherwise, or says what can't be
    other_version,   ///< of another version of nnom
    other_model,     ///< sizes or scales of inputs are not the model's: write it again
    ends_early,
    unknown_class,  ///< a class that the model doesn't tell apart
  };

  TestSet(ReadBytes read, void* context)
      : read_(read), context_(context), samples_(0), left_(0), label_bytes_(0) {}

  /// Reads what stands before the samples.
  template <class Graph, class Self>
  Error open(const Interface<Graph, Self>&) {
    samples_ = left_ = 0;
    unsigned char head[16];
    if (!fill(head, sizeof head)) return Error::not_a_test_set;
    if (head[0] != 'N' || head[1] != 'N' || head[2] != 'T' || head[3] != 'S')
      return Error::not_a_test_set;
    if (number(head + 4, 2) != 1) return Error::other_version;
    if (number(head + 6, 2) != Graph::input_count) return Error::other_model;
    for (unsigned i = 0; i < Graph::input_count; ++i) {
      unsigned char input[12];
      if (!fill(input, sizeof input)) return Error::ends_early;
      const Slot slot = Graph::input(i);
      const uint32_t scale = number(input + 4, 4);
      if (number(input, 4) != slot.bytes || !same_bits(scale, slot.quantisation.scale) ||
          static_cast<int32_t>(number(input + 8, 4)) != slot.quantisation.zero)
        return Error::other_model;
    }
    label_bytes_ = number(head + 12, 4);
    if (label_bytes_ != 1 && label_bytes_ != 2 && label_bytes_ != 4) return Error::not_a_test_set;
    samples_ = left_ = number(head + 8, 4);
    return Error::none;
  }
  /// The number of samples, and of those not read yet.
  uint32_t samples() const { return samples_; }
  uint32_t left() const { return left_; }

  /// Reads the next sample into the model's inputs, and its class. After the last one: ends_early.
  template <class Graph, class Self>
  Error next(Interface<Graph, Self>& model, uint32_t& label) {
    if (left_ == 0) return Error::ends_early;
    --left_;
    unsigned char bytes[4];
    for (unsigned i = 0; i < Graph::input_count; ++i)
      if (!fill(model.input_data(i), Graph::input(i).bytes)) return Error::ends_early;
    if (!fill(bytes, label_bytes_)) return Error::ends_early;
    label = number(bytes, label_bytes_);
    return Error::none;
  }

  /// Opens the set, runs the model on every sample, each from the model's start, and has `test`, a
  /// TestRun of the model's classes, count the answers. Of a set with an error, what comes before
  /// it has been counted.
  template <class Graph, class Self, class Test>
  Error run(Interface<Graph, Self>& model, Test& test) {
    Error error = open(model);
    uint32_t label = 0;
    while (error == Error::none && left_ > 0) {
      error = next(model, label);
      if (error != Error::none) break;
      begin_anew(model, 0);
      test.start();
      model.run();
      if (!test.add(model, label)) error = Error::unknown_class;
    }
    return error;
  }

  /// What an error means, to print.
  static const char* text(Error error) {
    switch (error) {
      case Error::none:
        return "no error";
      case Error::not_a_test_set:
        return "this is no test set, or a damaged one";
      case Error::other_version:
        return "the test set is of another version of nnom";
      case Error::other_model:
        return "the test set is for another model, or other scales";
      case Error::ends_early:
        return "the test set ends early";
      case Error::unknown_class:
        return "the test set has a class that the model has not";
    }
    return "unknown error";
  }

 private:
  template <class Graph, class Self>
  static WithState<Graph> begin_anew(Interface<Graph, Self>& model, int) {
    model.reset();
  }
  template <class Model>
  static void begin_anew(Model&, long) {}

  bool fill(void* to, size_t bytes) { return read_(context_, to, bytes) == bytes; }
  static uint32_t number(const unsigned char* from, size_t bytes) {
    uint32_t n = 0;
    while (bytes > 0) n = n << 8 | from[--bytes];
    return n;
  }
  static bool same_bits(uint32_t bits, float value) {
    uint32_t other;
    __builtin_memcpy(&other, &value, sizeof other);
    return bits == other;
  }

  ReadBytes read_;
  void* context_;
  uint32_t samples_, left_, label_bytes_;
};

}  // namespace nnom
