#include "compiler/hooks/callback.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "compiler/error.hpp"

namespace nnomc {
namespace {

// A hook is a plain function, so each callback in use has a function of its own that knows its
// number.
constexpr std::size_t kSlots = 64;
// Those in use at the end of the program stay: what they hold may be gone by then.
auto& callbacks = *new std::array<HookFunction, kSlots>;
std::mutex callbacks_mutex;

template <class E>
void run(const HookFunction& function, const nnom::HookCall<E>& call) {
  std::vector<std::vector<float>> inputs;
  for (const nnom::HookInput<E>& in : call.in) {
    if (!in.stored) break;
    inputs.emplace_back();
    for (int i = 0; i < in.size(); ++i) inputs.back().push_back(in[i]);
  }
  std::vector<float> output(static_cast<std::size_t>(call.out.size()));
  function(inputs, output);
  for (int i = 0; i < call.out.size(); ++i) call.out.set(i, output[static_cast<std::size_t>(i)]);
}

template <class E, std::size_t... slot>
constexpr auto trampolines(std::index_sequence<slot...>) {
  return std::array<nnom::Hook<E>, kSlots>{
      [](const nnom::HookCall<E>& call) { run(callbacks[slot], call); }...};
}

template <class E>
constexpr auto kTrampolines = trampolines<E>(std::make_index_sequence<kSlots>{});

}  // namespace

void set_callback(Hook& hook, HookFunction function) {
  const std::lock_guard lock(callbacks_mutex);
  const auto free = std::ranges::find_if(callbacks, [](const HookFunction& f) { return !f; });
  if (free == callbacks.end())
    throw Error("more than {} layers of your own are in use at once", kSlots);
  *free = std::move(function);
  const auto slot = static_cast<std::size_t>(free - callbacks.begin());
  hook.on_float = kTrampolines<float>[slot];
  hook.on_int8 = kTrampolines<int8_t>[slot];
  hook.on_int16 = kTrampolines<int16_t>[slot];
  hook.keep = std::shared_ptr<void>(nullptr, [slot](void*) {
    HookFunction last;  // what it holds may take its time to go
    const std::lock_guard freeing(callbacks_mutex);
    std::swap(last, callbacks[slot]);
  });
}

}  // namespace nnomc
