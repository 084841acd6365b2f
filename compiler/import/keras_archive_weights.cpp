#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "compiler/import/keras_layers.hpp"
#include "compiler/import/keras_weights.hpp"

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

/// Finds groups named after classes and numbered in each model, nested like the models, with
/// variables numbered as they were created. A layer that is at several places is stored at the
/// first; Keras notes that it is the same at the later ones, but not always at the first.
class ArchiveWeights {
 public:
  ArchiveWeights(const KerasFile& file, const Model& model)
      : file_(file), keras2_(is_keras2(file)) {
    for (const Weight& weight : file.weights) {
      std::string path = weight.path;
      std::replace(path.begin(), path.end(), '\\', '/');
      old_names_ = old_names_ || path.starts_with(kOldContainer);
      index_.emplace(std::move(path), &weight);
    }
    const std::string& v = file.keras_version;
    counts_twice_ = old_names_ && (v.starts_with("2.12.") || v.starts_with("2.13."));
    skips_ = keras2_ && !counts_twice_;
    std::set<std::string> ids, names;
    mark(model, ids, names);
  }

  void find(Model& model, const std::string& path) {
    const std::string container = path + (old_names_ ? kOldContainer : "layers/");
    const auto tallies = count(model, container);
    std::unordered_map<std::string, int> numbers;
    for (Layer& layer : model.layers) {
      if (layer.operation || !layer.config) continue;
      const std::string class_group = container + snake_case(class_of(layer));
      int& number = numbers[class_group];
      std::string group = numbered(class_group, number);
      const Seen seen = seen_.at(&layer);
      bool elsewhere = seen == Seen::before;
      if (seen == Seen::perhaps)
        elsewhere = skips_ ? is_skipped(layer, tallies.at(class_group)) : !exists(group);
      if (!elsewhere || !skips_) number += counts_twice_ && has_weights(layer) ? 2 : 1;

      std::set<std::string>& alike = stored_[key(layer)];
      if (!elsewhere)
        alike.insert(group);
      else if (const auto known = groups_.find(layer.shared); known != groups_.end())
        group = known->second;
      else
        group = alike.size() == 1 ? *alike.begin() : "";
      if (!layer.shared.empty()) groups_.emplace(layer.shared, group);
      if (layer.each_step) group += "/layer";
      if (layer.model)
        find(*layer.model, group + "/");
      else
        take(layer, group);
    }
  }

 private:
  /// Of Keras 2.12 to 2.14. The first two list a layer that has weights twice, and count both.
  static constexpr const char* kOldContainer = "_layer_checkpoint_dependencies/";

  /// Whether a layer is at another place that Keras comes to before: `perhaps` if it is at several
  /// places and only a layer of the same class and name was before.
  enum class Seen { not_yet, perhaps, before };

  /// Layers of one class in one model that have weights, and how many of their groups there are.
  struct Tally {
    int layers = 0, perhaps = 0, before = 0, groups = 0, all = 0;
  };

  static std::string class_of(const Layer& layer) {
    if (layer.each_step) return "TimeDistributed";
    return layer.class_name == "Model" ? "Functional" : layer.class_name;
  }
  static std::string key(const Layer& layer) { return class_of(layer) + " " + layer.name; }
  static std::string numbered(const std::string& group, int number) {
    return number ? fmt::format("{}_{}", group, number) : group;
  }

  void mark(const Model& model, std::set<std::string>& ids, std::set<std::string>& names) {
    for (const Layer& layer : model.layers) {
      if (layer.operation || !layer.config) continue;
      const bool known = !names.insert(key(layer)).second;
      Seen seen = Seen::not_yet;
      if (!layer.shared.empty() && !ids.insert(layer.shared).second)
        seen = Seen::before;
      else if (!layer.shared.empty() && known)
        seen = Seen::perhaps;
      seen_.emplace(&layer, seen);
      if (layer.model) mark(*layer.model, ids, names);
    }
  }

  std::unordered_map<std::string, Tally> count(const Model& model,
                                               const std::string& container) const {
    std::unordered_map<std::string, Tally> tallies;
    for (const Layer& layer : model.layers) {
      if (layer.operation || !layer.config) continue;
      const std::string class_group = container + snake_case(class_of(layer));
      Tally& tally = tallies[class_group];
      tally.groups += exists(numbered(class_group, tally.all++)) ? 1 : 0;
      if (!has_weights(layer)) continue;
      ++tally.layers;
      tally.before += seen_.at(&layer) == Seen::before ? 1 : 0;
      tally.perhaps += seen_.at(&layer) == Seen::perhaps ? 1 : 0;
    }
    return tallies;
  }

  /// Whether a layer that was perhaps stored before has no group here: Keras since 2.14 then
  /// doesn't number it, so the number of groups tells.
  bool is_skipped(const Layer& layer, const Tally& tally) const {
    const int missing = tally.layers - tally.before - tally.groups;
    if (missing != 0 && missing != tally.perhaps)
      Site{file_.path, layer.name, layer.class_name}.fail(
          "it is at several places of the model, and the file doesn't tell where its weights are");
    return missing != 0;
  }

  /// Whether there are weights in the group.
  bool exists(const std::string& group) const {
    const auto it = index_.lower_bound(group + "/");
    return it != index_.end() && it->first.starts_with(group + "/");
  }

  void take(Layer& layer, const std::string& group) const {
    for (int i = 0; !layer.hook.empty(); ++i) {
      const auto it = index_.find(fmt::format("{}/vars/{}", group, i));
      if (it == index_.end()) return;
      layer.weights.push_back(it->second);
    }
    std::map<std::string, int> numbers;  // by part
    for (const Variable& v : variables_of(layer, file_)) {
      const std::string part = v.part.empty() ? group : group + "/" + v.part;
      const auto it = index_.find(fmt::format("{}/vars/{}", part, numbers[part]++));
      layer.weights.push_back(it == index_.end() ? nullptr : it->second);
    }
  }

  bool has_weights(const Layer& layer) const {
    if (!layer.model) return !variables_of(layer, file_).empty();
    return std::any_of(layer.model->layers.begin(), layer.model->layers.end(),
                       [&](const Layer& inner) { return has_weights(inner); });
  }

  const KerasFile& file_;
  bool keras2_, old_names_ = false, counts_twice_ = false, skips_ = false;
  std::map<std::string, const Weight*> index_;
  std::unordered_map<const Layer*, Seen> seen_;
  std::unordered_map<std::string, std::string> groups_;            ///< by "shared_object_id"
  std::unordered_map<std::string, std::set<std::string>> stored_;  ///< by class and name
};

}  // namespace

void find_archive_weights(const KerasFile& file, Model& model) {
  ArchiveWeights(file, model).find(model, "");
}

}  // namespace nnomc::keras
