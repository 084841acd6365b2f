#include <algorithm>
#include <set>
#include <unordered_map>

#include "compiler/import/keras_layers.hpp"
#include "compiler/import/keras_weights.hpp"

namespace nnomc::keras {
namespace {

/// In an .h5 file: a list for each layer of the outermost model. That of a nested model has the
/// trained variables of all its layers first, then the others.
class H5Weights {
 public:
  explicit H5Weights(const KerasFile& file) : file_(file) {
    for (const Weight& weight : file.weights) index_.emplace(weight.path, &weight);
  }

  void find(Model& model) {
    for (Layer& layer : model.layers) {
      if (!layer.hook.empty()) take_all(layer);
      std::vector<Slot> slots;
      collect(layer, slots);
      if (!slots.empty()) assign(layer, slots);
    }
  }

 private:
  /// A variable to be found.
  struct Slot {
    Layer* layer;
    size_t index;
    std::string name;
    bool trained;          ///< as its class has it
    bool layer_trainable;  ///< as its layer is configured
  };

  void collect(Layer& layer, std::vector<Slot>& slots) const {
    if (layer.model) {
      for (Layer& inner : layer.model->layers) collect(inner, slots);
      return;
    }
    if (!layer.hook.empty()) return;
    const std::vector<Variable> variables = variables_of(layer, file_);
    layer.weights.assign(variables.size(), nullptr);
    for (size_t i = 0; i < variables.size(); ++i)
      slots.push_back(
          {&layer, i, std::string(variables[i].name), variables[i].trained, layer.trainable});
  }

  void take_all(Layer& layer) const {
    const auto it = file_.weight_names.find(layer.name);
    if (it == file_.weight_names.end()) return;
    for (const std::string& path : it->second)
      if (const auto found = index_.find(path); found != index_.end())
        layer.weights.push_back(found->second);
  }

  /// "kernel" of ".../dense/kernel:0" and ".../dense/kernel".
  static std::string leaf(const std::string& path) {
    const size_t from = path.rfind('/') + 1;
    return path.substr(from, path.rfind(':') == std::string::npos || path.rfind(':') < from
                                 ? std::string::npos
                                 : path.rfind(':') - from);
  }

  static bool same_name(const std::string& in_file, const std::string& name) {
    return in_file == name || (name == "kernel" && in_file == "depthwise_kernel");
  }

  /// How well names in the file fit the order of `slots`.
  static int score(const std::vector<Slot>& slots, const std::vector<std::string>& paths) {
    int points = 0;
    for (size_t i = 0; i < slots.size(); ++i) {
      const std::string name = leaf(paths[i]);
      if (!same_name(name, slots[i].name)) continue;
      const std::string folder = paths[i].substr(0, paths[i].rfind('/'));
      points += folder.ends_with("/" + slots[i].layer->name) ? 2 : 1;
    }
    return points;
  }

  /// Leaves only variables that have one of the names looked for: random layers may have a state.
  static std::vector<std::string> wanted(const std::vector<Slot>& slots,
                                         const std::vector<std::string>& paths) {
    std::set<std::string> names;
    for (const Slot& slot : slots) names.insert(slot.name);
    if (names.contains("kernel")) names.insert("depthwise_kernel");
    std::vector<std::string> kept;
    for (const std::string& path : paths)
      if (names.contains(leaf(path))) kept.push_back(path);
    return kept;
  }

  void assign(const Layer& outer, const std::vector<Slot>& slots) {
    const auto it = file_.weight_names.find(outer.name);
    if (it == file_.weight_names.end()) return;
    std::vector<std::string> paths = it->second;
    if (paths.size() != slots.size()) paths = wanted(slots, paths);
    if (paths.size() != slots.size())
      Site{file_.path, outer.name, outer.class_name}.fail(
          "it has {} weight arrays in the file where its configuration asks for {}",
          it->second.size(), slots.size());

    // What counts as trained depends on how and when layers were frozen. Keras goes by the order
    // alone, so the first is taken unless the names in the file tell otherwise.
    std::vector<Slot> by_flags = slots, by_class = slots;
    std::stable_partition(by_flags.begin(), by_flags.end(),
                          [](const Slot& s) { return s.trained && s.layer_trainable; });
    std::stable_partition(by_class.begin(), by_class.end(),
                          [](const Slot& s) { return s.trained; });
    const std::vector<Slot>* best = &by_flags;
    for (const std::vector<Slot>* order :
         std::initializer_list<const std::vector<Slot>*>{&by_class, &slots})
      if (score(*order, paths) > score(*best, paths)) best = order;
    for (size_t i = 0; i < paths.size(); ++i) {
      const Slot& slot = (*best)[i];
      const auto found = index_.find(paths[i]);
      if (found != index_.end()) slot.layer->weights[slot.index] = found->second;
    }
  }

  const KerasFile& file_;
  std::unordered_map<std::string, const Weight*> index_;
};

}  // namespace

void find_h5_weights(const KerasFile& file, Model& model) { H5Weights(file).find(model); }

}  // namespace nnomc::keras
