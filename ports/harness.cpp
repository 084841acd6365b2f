/// \file
/// The firmware of `nnom run --on` and `nnom evaluate --on`: runs a model on samples from a file of
/// the host.
///
/// Compiled with -DNNOM_MODEL_HEADER="\"mnist.hpp\"" -DNNOM_MODEL=mnist::Graph. Arguments:
///
///     INPUT OUTPUT [profile] [follow=N] [layers=FILE]
///
/// INPUT holds the samples one after the other, each the bytes of the model's inputs in order;
/// OUTPUT gets the bytes of its outputs the same way. `profile` prints the time of each layer,
/// `stream` keeps the state from one sample to the next, `layers=FILE` writes what every layer gave
/// for the first sample. Prints lines for the host:
///
///     samples <count>
///     sample <number done>                  every 1/100 of them
///     stack <bytes>                         of one run
///     layer <index> <name> <ticks>          over all samples
///     ticks <all samples> <ticks a second>  without reading and writing files
///
/// Exit code: 0, or 2 after a line `error <reason>`.
#include NNOM_MODEL_HEADER

#include <stdint.h>

#include "measure.hpp"
#include "port.hpp"
#include "semihosting.hpp"
#include "stack.hpp"
#include "text.hpp"

namespace {

using Graph = NNOM_MODEL;
using nnom::port::print;
using nnom::port::print_decimal;
using semihosting::File;

alignas(16) unsigned char arena[Graph::arena_bytes];
uint64_t layer_ticks[Graph::layer_count + 1];

[[noreturn]] void fail(const char* reason, const char* subject = "") {
  print("error ");
  print(reason);
  print(subject);
  print("\n");
  semihosting::exit(2);
}

struct Arguments {
  const char* input = nullptr;
  const char* output = nullptr;
  const char* layers = nullptr;
  bool profile = false;
  uint32_t follow = 1;
};

/// What follows `prefix` in `text`, or null when it starts otherwise.
const char* after(const char* text, const char* prefix) {
  while (*prefix != 0) {
    if (*text++ != *prefix++) return nullptr;
  }
  return text;
}

bool equal(const char* text, const char* other) {
  const char* rest = after(text, other);
  return rest != nullptr && *rest == 0;
}

Arguments parse(char* text) {
  Arguments arguments;
  while (*text != 0) {
    char* end = text;
    while (*end != 0 && *end != ' ') ++end;
    const bool last = *end == 0;
    *end = 0;
    if (arguments.input == nullptr) {
      arguments.input = text;
    } else if (arguments.output == nullptr) {
      arguments.output = text;
    } else if (equal(text, "profile")) {
      arguments.profile = true;
    } else if (const char* digits = after(text, "follow=")) {
      arguments.follow = 0;
      for (; *digits != 0; ++digits)
        arguments.follow = 10 * arguments.follow + static_cast<uint32_t>(*digits - '0');
      if (arguments.follow == 0) fail("follow=N wants a number of samples");
    } else if ((arguments.layers = after(text, "layers=")) == nullptr) {
      fail("unknown argument ", text);
    }
    text = last ? end : end + 1;
  }
  if (arguments.output == nullptr) fail("the names of an input and an output file are needed");
  return arguments;
}

uint32_t sample_bytes() {
  uint32_t sum = 0;
  for (unsigned i = 0; i < Graph::input_count; ++i) sum += Graph::input(i).bytes;
  return sum;
}

/// A model whose input lies in the arena.
template <class Model>
struct Runs {
  static void read_sample(File& file) {
    for (unsigned i = 0; i < Model::input_count; ++i) {
      const auto slot = Model::input(i);
      if (file.read(arena + slot.offset, slot.bytes) != slot.bytes)
        fail("can't read the input file");
    }
  }
  static void run() { Model::run(arena); }
  static void observe(nnom::Observer observer, void* context) {
    Model::observe(arena, observer, context);
  }
};

/// One whose input comes by rows.
template <class Model>
requires requires { Model::input_rows; }
struct Runs<Model> {
  using Input = typename Model::template Input<0>;
  static constexpr unsigned bytes = Input::size * sizeof(typename nnom::Element<Input>::type);
  static constexpr unsigned row = bytes / Model::input_rows;
  static inline unsigned char sample[bytes];

  static void read_sample(File& file) {
    if (file.read(sample, bytes) != bytes) fail("can't read the input file");
  }
  static void copy_row(void*, int y, void* to) {
    __builtin_memcpy(to, sample + static_cast<unsigned>(y) * row, row);
  }
  static void run() { Model::run(arena, {copy_row, nullptr}); }
  static void observe(nnom::Observer observer, void* context) {
    Model::observe(arena, {copy_row, nullptr}, observer, context);
  }
};
using Run = Runs<Graph>;

void write_result(File& file) {
  for (unsigned i = 0; i < Graph::output_count; ++i) {
    const auto slot = Graph::output(i);
    if (file.write(arena + slot.offset, slot.bytes) != slot.bytes)
      fail("can't write the output file");
  }
}

/// Brings a model with state back to its start; the others have no reset().
template <class Model>
void reset() {
  if constexpr (requires { Model::reset(arena); }) Model::reset(arena);
}

/// One run with the emulator counting, another with it counting layer by layer; each from the
/// start, for a layer may write over the model's input.
void measure(File& input) {
  const auto start = [&] {
    input.seek(0);
    Run::read_sample(input);
    reset<Graph>();
  };
  start();
  nnom::port::paint_stack();
  nnom_measure_begin();
  Run::run();
  nnom_measure_end();
  print("stack ");
  print_decimal(nnom::port::stack_used());
  print("\n");
  start();
  nnom_measure_layer();
  Run::observe([](void*, const nnom::LayerInfo&) { nnom_measure_layer(); }, nullptr);
  nnom_measure_finish();
}

struct Profile {
  uint32_t started;
  const char* names[Graph::layer_count + 1];
};
Profile profile;

/// The time of a layer lasts from the end of the observer before it.
void run_profiled() {
  profile.started = nnom::port::ticks();
  Run::observe(
      [](void*, const nnom::LayerInfo& layer) {
        layer_ticks[layer.index] += nnom::port::ticks() - profile.started;
        profile.names[layer.index] = layer.name;
        profile.started = nnom::port::ticks();
      },
      nullptr);
}

void print_profile() {
  for (unsigned i = 0; i < Graph::layer_count; ++i) {
    print("layer ");
    print_decimal(i);
    print(" ");
    print(profile.names[i] != nullptr && *profile.names[i] != 0 ? profile.names[i] : "-");
    print(" ");
    print_decimal(layer_ticks[i]);
    print("\n");
  }
}

void write_layers(File& input, const char* name) {
  File file(name, File::kWrite);
  if (!file.is_open()) fail("can't write ", name);
  input.seek(0);
  Run::read_sample(input);
  reset<Graph>();
  Run::observe(
      [](void* context, const nnom::LayerInfo& layer) {
        if (static_cast<File*>(context)->write(layer.output, layer.output_bytes) !=
            layer.output_bytes) {
          fail("can't write the layers' file");
        }
      },
      &file);
}

void run_all(File& input, File& output, uint32_t samples, const Arguments& arguments) {
  uint64_t ticks = 0;
  const uint32_t step = samples < 100 ? 1 : samples / 100;
  input.seek(0);
  reset<Graph>();
  for (uint32_t sample = 0; sample < samples; ++sample) {
    Run::read_sample(input);
    if (sample % arguments.follow == 0) reset<Graph>();
    const uint32_t started = nnom::port::ticks();
    if (arguments.profile) {
      run_profiled();
    } else {
      Run::run();
    }
    ticks += nnom::port::ticks() - started;
    write_result(output);
    if ((sample + 1) % step == 0 || sample + 1 == samples) {
      print("sample ");
      print_decimal(sample + 1);
      print("\n");
    }
  }
  if (arguments.profile) print_profile();
  print("ticks ");
  print_decimal(ticks);
  print(" ");
  print_decimal(nnom::port::ticks_per_second());
  print("\n");
}

}  // namespace

int main() {
  static char command_line[1024];
  if (semihosting::command_line(command_line, sizeof command_line) < 0) fail("too many arguments");
  const Arguments arguments = parse(command_line);
  File input(arguments.input, File::kRead);
  if (!input.is_open()) fail("can't open ", arguments.input);
  File output(arguments.output, File::kWrite);
  if (!output.is_open()) fail("can't write ", arguments.output);

  const int32_t length = input.length();
  const uint32_t bytes = sample_bytes();
  if (length <= 0 || static_cast<uint32_t>(length) % bytes != 0) {
    fail("the input file's length is no multiple of a sample's");
  }
  const uint32_t samples = static_cast<uint32_t>(length) / bytes;
  print("samples ");
  print_decimal(samples);
  print("\n");

  measure(input);
  if (arguments.layers != nullptr) write_layers(input, arguments.layers);
  run_all(input, output, samples, arguments);
  return 0;
}
