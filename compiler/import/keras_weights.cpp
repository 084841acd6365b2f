#include "compiler/import/keras_weights.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "compiler/import/keras_layers.hpp"

namespace nnomc::keras {
namespace {

bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool lower(char c) { return c >= 'a' && c <= 'z'; }

/// "max_pooling2d" of "MaxPooling2D", as Keras does it.
std::string snake_case(const std::string& name) {
  std::string words;  // with a '_' before each capital that lower-case letters follow
  for (size_t i = 0; i < name.size(); ++i) {
    if (i > 0 && upper(name[i]) && i + 1 < name.size() && lower(name[i + 1])) words += '_';
    words += name[i];
  }
  std::string snake;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && lower(words[i - 1]) && upper(words[i])) snake += '_';
    snake += upper(words[i]) ? static_cast<char>(words[i] - 'A' + 'a') : words[i];
  }
  return snake;
}

/// In an archive: groups named after classes and numbered in each model, nested like the models,
/// with variables numbered as they were created.
class ArchiveWeights {
 public:
  explicit ArchiveWeights(const KerasFile& file) : file_(file), keras2_(is_keras2(file)) {
    for (const Weight& weight : file.weights) {
      std::string path = weight.path;
      std::replace(path.begin(), path.end(), '\\', '/');
      old_names_ = old_names_ || path.starts_with(kOldContainer);
      index_.emplace(std::move(path), &weight);
    }
    const std::string& v = file.keras_version;
    counts_twice_ = old_names_ && (v.starts_with("2.12.") || v.starts_with("2.13."));
  }

  void find(Model& model, const std::string& path) {
    std::unordered_map<std::string, int> numbers;
    const std::string container = path + (old_names_ ? kOldContainer : "layers/");
    for (Layer& layer : model.layers) {
      if (layer.operation || !layer.config) continue;
      const auto known = layer.shared.empty() ? groups_.end() : groups_.find(layer.shared);
      const bool first = known == groups_.end();
      std::string group;
      if (first || !keras2_ || counts_twice_) {
        const std::string snake = snake_case(class_of(layer));
        int& number = numbers[snake];
        group = container + snake + (number ? "_" + std::to_string(number) : "");
        number += counts_twice_ && has_weights(layer) ? 2 : 1;
      }
      if (!first) group = known->second;
      if (first && !layer.shared.empty()) groups_.emplace(layer.shared, group);
      if (layer.model) {
        find(*layer.model, group + "/");
      } else {
        take(layer, group);
      }
    }
  }

 private:
  /// Of Keras 2.12 to 2.14. The first two list a layer that has weights twice, and count both.
  static constexpr const char* kOldContainer = "_layer_checkpoint_dependencies/";

  static std::string class_of(const Layer& layer) {
    if (layer.class_name.find('.') != std::string::npos) return "TFOpLambda";
    return layer.class_name == "Model" ? "Functional" : layer.class_name;
  }

  /// Sets the variables of `layer` from its group. A layer that was stored at another place has
  /// none; Keras doesn't always note at which, then it is where a layer of that name and class is.
  void take(Layer& layer, std::string group) {
    const size_t count = variables_of(layer, file_).size();
    if (count == 0) return;
    std::set<std::string>& alike = stored_[layer.class_name + " " + layer.name];
    if (index_.contains(group + "/vars/0"))
      alike.insert(group);
    else if (!layer.shared.empty() && alike.size() == 1)
      group = *alike.begin();
    for (size_t i = 0; i < count; ++i) {
      const auto it = index_.find(group + "/vars/" + std::to_string(i));
      layer.weights.push_back(it == index_.end() ? nullptr : it->second);
    }
  }

  bool has_weights(const Layer& layer) const {
    if (!layer.model) return !variables_of(layer, file_).empty();
    return std::any_of(layer.model->layers.begin(), layer.model->layers.end(),
                       [&](const Layer& inner) { return has_weights(inner); });
  }

  const KerasFile& file_;
  bool keras2_, old_names_ = false, counts_twice_ = false;
  std::unordered_map<std::string, const Weight*> index_;
  std::unordered_map<std::string, std::string> groups_;  ///< of layers that are at several places
  std::unordered_map<std::string, std::set<std::string>> stored_;  ///< groups by class and name
};

/// In an .h5 file: a list for each layer of the outermost model. That of a nested model has the
/// trained variables of all its layers first, then the others.
class H5Weights {
 public:
  explicit H5Weights(const KerasFile& file) : file_(file) {
    for (const Weight& weight : file.weights) index_.emplace(weight.path, &weight);
  }

  void find(Model& model) {
    for (Layer& layer : model.layers) {
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
    const std::vector<Variable> variables = variables_of(layer, file_);
    layer.weights.assign(variables.size(), nullptr);
    for (size_t i = 0; i < variables.size(); ++i)
      slots.push_back(
          {&layer, i, std::string(variables[i].name), variables[i].trained, layer.trainable});
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

void find_weights(const KerasFile& file, Model& model) {
  if (file.legacy_h5)
    H5Weights(file).find(model);
  else
    ArchiveWeights(file).find(model, "");
}

}  // namespace nnomc::keras
