// Variables: tensors that keep their content from one run to the next.
#include "compiler/import/tflite_operators.hpp"

namespace nnomc::tflite {

std::string variable_name(const format::VarHandleOptions& options) {
  std::string name;
  for (const auto* part : {options.container(), options.name()})
    name += (part ? part->str() : "") + "/";
  return name;
}

Kept& Call::kept() {
  const auto handle = session_.handles.find(has(0) ? numbers(op_.inputs())[0] : -1);
  if (handle == session_.handles.end()) fail("its input 0 is not the handle of a variable");
  return session_.kept[handle->second];
}

void Call::name_variable() {
  if (outputs() != 1) fail("it has {} outputs, not 1", outputs());
  session_.handles[numbers(op_.outputs())[0]] = variable_name(options<format::VarHandleOptions>());
}

void Call::read_variable() {
  Kept& k = kept();
  if (k.now >= 0) return set(k.now);  // assigned before
  Graph& g = session_.graph;
  if (k.variable < 0) {
    const Value& v = out();
    std::vector<float> initial(static_cast<size_t>(v.size()));
    if (!k.initial.empty() && k.initial.size() != initial.size())
      fail("the variable begins with {} elements instead of {}", k.initial.size(), initial.size());
    for (size_t i = 0; i < k.initial.size(); ++i) {
      const auto stored = static_cast<float>(k.initial[i]);
      initial[i] = v.scale ? static_cast<float>(v.scale->scale) *
                                 (stored - static_cast<float>(v.scale->zero))
                           : stored;
    }
    const int tensor = g.add_variable(v.name, v.shape(), std::move(initial));
    g.tensors.back().quantisation = v.scale;
    k.variable = static_cast<int>(g.variables.size()) - 1;
    if (quantised() && !v.scale) fail("its output has no scale");
    return set(tensor);
  }
  set(g.variables[static_cast<size_t>(k.variable)].tensor);
}

void Call::assign_variable() {
  Kept& k = kept();
  if (k.variable < 0) fail("the variable is assigned before it is read, which is not supported");
  Variable& v = session_.graph.variables[static_cast<size_t>(k.variable)];
  k.now = reshape(tensor(1), shape(v.tensor));
  if (scale(k.now) != scale(v.tensor))
    fail("what it assigns is quantised otherwise than the variable");
  session_.graph.variables[static_cast<size_t>(k.variable)].next = k.now;
}

void call_once(Call&) {}  // its assignments are the variables' initial values
void var_handle(Call& call) { call.name_variable(); }
void read_variable(Call& call) { call.read_variable(); }
void assign_variable(Call& call) { call.assign_variable(); }

}  // namespace nnomc::tflite
