#include "compiler/simulate/simulate.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "compiler/cmsis_nn.hpp"
#include "compiler/error.hpp"
#include "compiler/hooks/hooks.hpp"
#include "compiler/simulate/kernels.hpp"

namespace nnomc {
namespace {

#ifdef NNOM_X86_64
bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2");
  return has;
}
bool has_vnni() {
  static const bool has =
      has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("bmi2");
  return has;
}
#else
constexpr bool has_vnni() { return false; }
#endif

/// The fastest kernels for a node on this computer.
RunKernel kernels([[maybe_unused]] const Numbers& numbers) {
#ifdef NNOM_X86_64
  if (numbers.layout == Layout::vector && has_avx2()) return nnom_run_avx2;
  if (numbers.layout == Layout::quads && numbers.quantised && numbers.width == Width::int8 &&
      has_vnni())
    return nnom_run_vnni;
#endif
  return nnom_run_baseline;
}

}  // namespace

Program for_host(const Program& program) {
  if (!program.numbers.quantised || runs_cmsis_nn(program.graph)) return program;
  Lowering lowering{.numbers = program.numbers, .per_channel = program.per_channel};
  lowering.numbers.layout = has_vnni() ? Layout::quads : Layout::vector;
  return lower(program.graph, program.scales, lowering);
}

Simulator::Simulator(const Program& program)
    : program_(program), memory_(static_cast<size_t>(program.plan.arena_bytes) + 64) {
  check_hooks(program.graph);
  if (runs_cmsis_nn(program.graph))
    throw Error(
        "{}: CMSIS-NN runs on a board: add --on cortex-m4 or another, or leave out --kernels "
        "cmsis-nn (the bytes are the same)",
        program.graph.file);
  const auto address = reinterpret_cast<uintptr_t>(memory_.data());
  arena_ = memory_.data() + (64 - address % 64) % 64;
  if (program_.plan.input_by_rows)
    input_.resize(static_cast<size_t>(
        tensor_bytes(program_.graph, program_.graph.inputs[0], program_.numbers)));
  reset();
}

void Simulator::reset() {
  for (size_t i = 0; i < program_.graph.nodes.size(); ++i) call(i, true);
  for (const Variable& v : program_.graph.variables)
    std::ranges::copy(initial_bytes(program_, v),
                      arena_ + program_.plan.tensor[static_cast<size_t>(v.tensor)]);
}

void Simulator::call(size_t node, bool reset, int row) {
  const Op& op = program_.graph.nodes[node].op;
  const NodePlace& place = program_.plan.nodes[node];
  KernelCall call;
  call.op = std::visit([](const auto& o) -> const void* { return &o; }, op);
  call.data = program_.data[node].value.get();
  call.in = place.in.data(), call.inputs = place.in.size();
  call.out = place.out, call.scratch = place.scratch, call.state = place.state;
  call.in_ring = place.in_ring.empty() ? nullptr : place.in_ring.data();
  call.out_ring = place.out_ring;
  call.row = row;
  call.reset = reset;
  kernels(program_.node_numbers[node])(op.index(), program_.node_numbers[node].index(), call,
                                       arena_);
}

std::span<unsigned char> Simulator::input_bytes(size_t i) {
  if (program_.plan.input_by_rows) return input_;
  const int t = program_.graph.inputs[i];
  return {arena_ + program_.plan.tensor[static_cast<size_t>(t)],
          static_cast<size_t>(tensor_bytes(program_.graph, t, program_.numbers))};
}

std::span<const unsigned char> Simulator::output_bytes(size_t i) const {
  const int t = program_.graph.outputs[i];
  return {arena_ + program_.plan.tensor[static_cast<size_t>(t)],
          static_cast<size_t>(tensor_bytes(program_.graph, t, program_.numbers))};
}

void Simulator::set_input(size_t i, std::span<const float> values) {
  const std::span<unsigned char> to = input_bytes(i);
  const auto t = static_cast<size_t>(program_.graph.inputs[i]);
  if (values.size() != static_cast<size_t>(program_.graph.tensors[t].shape.size()))
    throw Error("{}: input '{}' has {} elements, not {}", program_.graph.file,
                program_.graph.tensors[t].name, program_.graph.tensors[t].shape.size(),
                values.size());
  store(program_, program_.graph.inputs[i], values, to);
}

void Simulator::run_turns() {
  const Graph& g = program_.graph;
  const Plan& plan = program_.plan;
  const auto rows = [&](int t) { return g.shape(t)[0]; };
  std::vector<int> done(g.tensors.size());
  for (const int t : g.inputs) done[static_cast<size_t>(t)] = plan.input_by_rows ? 0 : rows(t);
  for (bool more = true; more;) {
    more = false;
    if (const int t = g.inputs[0]; done[static_cast<size_t>(t)] < rows(t)) {
      const int row = done[static_cast<size_t>(t)]++, ring = plan.ring[static_cast<size_t>(t)];
      const size_t bytes = input_.size() / static_cast<size_t>(rows(t));
      std::copy_n(input_.begin() + row * static_cast<std::ptrdiff_t>(bytes), bytes,
                  arena_ + plan.tensor[static_cast<size_t>(t)] +
                      static_cast<size_t>(ring ? row % ring : row) * bytes);
      more = true;
    }
    for (size_t i = 0; i < plan.in_turns; ++i) {
      const Node& node = g.nodes[i];
      int& y = done[static_cast<size_t>(node.output)];
      if (y == rows(node.output)) continue;
      const int need = info(node.op).reads(node.op, y).second;
      if (std::ranges::any_of(node.inputs,
                              [&](int t) { return done[static_cast<size_t>(t)] < need; }))
        continue;
      call(i, false, y++);
      more = true;
    }
  }
}

void Simulator::run(const NodeObserver& observer) {
  const Plan& plan = program_.plan;
  if (plan.in_turns > 0) run_turns();
  for (size_t i = 0; i < program_.graph.nodes.size(); ++i) {
    if (i >= plan.in_turns) call(i, false);
    if (observer && program_.keeps_output(i)) observer(i, arena_ + plan.nodes[i].out);
  }
}

std::vector<float> Simulator::tensor(int t) const {
  const unsigned char* from = arena_ + program_.plan.tensor[static_cast<size_t>(t)];
  return load(program_, t,
              {from, static_cast<size_t>(tensor_bytes(program_.graph, t, program_.numbers))});
}

std::vector<float> Simulator::output(size_t i) const { return tensor(program_.graph.outputs[i]); }

std::vector<std::vector<float>> run_once(const Program& program,
                                         const std::vector<std::vector<float>>& inputs) {
  Simulator simulator(program);
  if (inputs.size() != program.graph.inputs.size())
    throw Error("{}: the model has {} inputs, not {}", program.graph.file,
                program.graph.inputs.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) simulator.set_input(i, inputs[i]);
  simulator.run();
  std::vector<std::vector<float>> outputs;
  for (size_t i = 0; i < program.graph.outputs.size(); ++i) outputs.push_back(simulator.output(i));
  return outputs;
}

std::vector<std::vector<float>> run_float(const Graph& graph,
                                          const std::vector<std::vector<float>>& inputs) {
  return run_once(lower_float(graph), inputs);
}

void in_parallel(size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto body = [&] {
    for (size_t i; (i = next++) < count;) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < std::min(cores, count); ++i) threads.emplace_back(body);
  body();
  threads.clear();
  if (failure) std::rethrow_exception(failure);
}

void in_starts(size_t count, size_t follow, const std::function<void(size_t, size_t)>& work) {
  if (count == 0) return;
  in_parallel((count + follow - 1) / follow,
              [&](size_t start) { work(start * follow, std::min(count, (start + 1) * follow)); });
}

}  // namespace nnomc
