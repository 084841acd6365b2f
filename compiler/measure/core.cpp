#include <fmt/format.h>

#include <filesystem>
#include <future>

#include "compiler/cmsis_nn.hpp"
#include "compiler/firmware/cmsis_nn.hpp"
#include "compiler/firmware/elf.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/report/progress.hpp"

namespace nnomc {
namespace {

/// A model that does nothing, in the same arena and with the same inputs and outputs: its firmware
/// shows what is not the model's.
std::string empty_model(const Program& program) {
  std::string inputs, outputs;
  const auto slot = [&](int tensor) {
    return fmt::format("{{0u, {}u, {{1.0f, 0}}}}, ",
                       tensor_bytes(program.graph, tensor, program.numbers));
  };
  for (const int t : program.graph.inputs) inputs += slot(t);
  for (const int t : program.graph.outputs) outputs += slot(t);
  return fmt::format(
      "#pragma once\n#include \"nnom/model.hpp\"\n"
      "namespace empty {{\nstruct Graph {{\n"
      "  enum : unsigned {{ arena_bytes = {}, input_count = {}, output_count = {}, layer_count = 0 "
      "}};\n"
      "  static nnom::Slot input(unsigned i) {{\n"
      "    static const nnom::Slot slots[] = {{ {} }};\n    return slots[i];\n  }}\n"
      "  static nnom::Slot output(unsigned i) {{\n"
      "    static const nnom::Slot slots[] = {{ {} }};\n    return slots[i];\n  }}\n"
      "  [[gnu::noipa]] static void run(unsigned char*) {{}}\n"
      "  [[gnu::noipa]] static void observe(unsigned char*, nnom::Observer, void*) {{}}\n"
      "}};\n}}\n",
      program.plan.arena_bytes, program.graph.inputs.size(), program.graph.outputs.size(), inputs,
      outputs);
}

std::string build_flags(Optimise optimise) { return optimise == Optimise::size ? "-Os" : "-O2"; }

/// Bytes of flash the model's firmware takes more than that of the empty one.
std::int64_t flash_over(const std::string& model, const std::string& empty) {
  const Sizes a = elf_sizes(model), b = elf_sizes(empty);
  return static_cast<std::int64_t>(a.text + a.data) - static_cast<std::int64_t>(b.text + b.data);
}

/// The samples as the firmware reads them.
std::vector<std::byte> sample_bytes(const Program& program, const Inputs& inputs) {
  std::vector<std::size_t> sizes;
  std::size_t stride = 0;
  for (const int t : program.graph.inputs) {
    sizes.push_back(static_cast<std::size_t>(tensor_bytes(program.graph, t, program.numbers)));
    stride += sizes.back();
  }
  std::vector<std::byte> bytes(inputs.count * stride);
  auto* to = reinterpret_cast<unsigned char*>(bytes.data());
  for (std::size_t sample = 0; sample < inputs.count; ++sample)
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      inputs.fill(sample, i, {to, sizes[i]});
      to += sizes[i];
    }
  return bytes;
}

/// Puts what was measured layer by layer to the nodes; those that only rename memory have no layer.
void assign_layers(const Program& program, const ModelRun& run, std::size_t samples, Measured& m) {
  const std::vector<Work>& work = run.run.layers;
  const auto samples_d = static_cast<double>(samples);
  m.layers.resize(program.graph.nodes.size());
  std::size_t layer = 0;
  for (std::size_t i = 0; i < m.layers.size(); ++i) {
    if (info(program.graph.nodes[i].op).alias) continue;
    if (layer < work.size()) {
      m.layers[i].instructions = work[layer].instructions;
      if (m.cycles) {
        m.layers[i].cycles = work[layer].cycles;
        m.layers[i].seconds = static_cast<double>(work[layer].cycles) / m.clock_hz;
      }
    } else if (layer < run.layer_ticks.size()) {
      // Without the counter: the emulator's clock runs a nanosecond an instruction.
      const double seconds = static_cast<double>(run.layer_ticks[layer].ticks) / m.clock_hz;
      m.layers[i].instructions = static_cast<std::uint64_t>(seconds / samples_d * 1e9);
    }
    ++layer;
  }
}

}  // namespace

Measured run_on_core(const Program& program, const Inputs& inputs, const std::string& core,
                     const EmitOptions& options, bool costs) {
  const TempDir folder;
  EmitOptions emitting = options;
  emitting.file = "model.hpp";
  const Generated generated = emit(program, emitting);
  write_file(folder.file("model.hpp"), generated.header);
  write_file(folder.file("model.cpp"), generated.source);
  Build build;
  build.core = core;
  build.sources = {folder.file("model.cpp")};
  build.include_dirs = {folder.path().string()};
  if (const std::string& hooks = program.graph.hooks; !hooks.empty())
    build.include_dirs.push_back(std::filesystem::absolute(hooks).parent_path().string());
  if (runs_cmsis_nn(program.graph)) add_cmsis_nn(build);
  build.optimise = build_flags(options.optimise);
  build.directory = folder.file("build");
  std::string elf;
  {
    const Progress progress("compiling for " + core, 0);
    elf = build_model_firmware(build, "model.hpp", options.name + "::Graph");
  }
  // The emulator has one thread, so this costs no time.
  std::future<std::string> empty;
  if (costs)
    empty = std::async(std::launch::async, [&program, &folder, build]() mutable {
      write_file(folder.file("empty.hpp"), empty_model(program));
      build.sources.clear();
      build.directory = folder.file("empty");
      return build_model_firmware(build, "empty.hpp", "empty::Graph");
    });
  Measured m;
  ModelRun run;
  {
    Progress progress("running on " + core, inputs.count);
    ModelRunOptions how;
    how.profile = costs && cycles_plugin().empty();
    how.count = costs;
    how.follow = inputs.follow;
    how.on_progress = [&](std::size_t done, std::size_t) { progress.at(done); };
    run = run_model_firmware(elf, core, sample_bytes(program, inputs), how);
  }
  m.outputs = std::move(run.output);
  m.outputs.resize(inputs.count * output_bytes(program));
  m.stack_bytes = static_cast<std::int64_t>(run.stack);
  m.instructions = run.run.instructions;
  m.cycles = run.run.cycles;
  m.clock_hz = static_cast<double>(run.ticks_per_second);
  if (m.cycles && m.clock_hz > 0) m.seconds = static_cast<double>(*m.cycles) / m.clock_hz;
  if (costs) {
    assign_layers(program, run, inputs.count, m);
    for (const FunctionWork& f : run.run.functions) {
      m.functions.push_back({f.name, f.work.instructions, {}});
      if (m.cycles) m.functions.back().cycles = f.work.cycles;
    }
    m.code_bytes = flash_over(elf, empty.get()) - program.weights_bytes();
  }
  return m;
}

}  // namespace nnomc
