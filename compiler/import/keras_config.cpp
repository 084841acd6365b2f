#include "compiler/import/keras_config.hpp"

#include <cmath>
#include <limits>

namespace nnomc::keras {
namespace {

constexpr int kMaxAxes = 8;  // of a constant

/// Appends the numbers of nested lists to `out`; every list of one level is of one length.
bool flatten(const Config& config, const Json& value, std::string_view key, size_t level,
             Constant& out) {
  if (!value.is_array()) {
    if (level != out.shape.size()) return false;
    out.data.push_back(config.as_number(value, key));
    return true;
  }
  if (level >= out.shape.size() || value.size() != static_cast<size_t>(out.shape[level]))
    return false;
  for (const Json& part : value)
    if (!flatten(config, part, key, level + 1, out)) return false;
  return true;
}

}  // namespace

std::string show(const Json& value) {
  if (value.is_array()) {
    if (value.size() > 8) return fmt::format("a list of {}", value.size());
    std::string list;
    for (const Json& part : value) {
      if (!list.empty()) list += ", ";
      list += part.is_structured() ? "..." : show(part);
    }
    return fmt::format("[{}]", list);
  }
  if (value.is_object()) {
    const std::string name = text_or_empty(value, "class_name");
    return name.empty() ? "an object" : name;
  }
  if (value.is_string())
    return fmt::format("'{}'", value.get_ref<const std::string&>().substr(0, 80));
  return value.dump();
}

const Json* find(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

std::string text_or_empty(const Json& object, std::string_view key) {
  const Json* value = find(object, key);
  return value && value->is_string() ? value->get<std::string>() : "";
}

Config::Config(const Json& fields, Site site) : fields_(&fields), site_(std::move(site)) {
  if (!fields.is_object()) site_.fail("its configuration isn't an object but {}", show(fields));
}

int Config::as_integer(const Json& value, std::string_view key, int lo, int hi) const {
  double v = 0;
  if (value.is_number())
    v = value.get<double>();
  else
    site_.fail("'{}' should be a whole number, not {}", key, show(value));
  if (v != std::floor(v)) site_.fail("'{}' should be a whole number, not {}", key, show(value));
  if (!(v >= lo && v <= hi))
    site_.fail("'{}' is {}, but should be {} to {}", key, show(value), lo, hi);
  return static_cast<int>(v);
}

float Config::as_number(const Json& value, std::string_view key) const {
  if (!value.is_number()) site_.fail("'{}' should be a number, not {}", key, show(value));
  const double v = value.get<double>();
  if (!(std::fabs(v) <= double{std::numeric_limits<float>::max()}))
    site_.fail("'{}' is {}, too large for a float", key, show(value));
  return static_cast<float>(v);
}

Constant Config::as_constant(const Json& value, std::string_view key) const {
  const std::string kind = text_or_empty(value, "class_name");
  const Json* content = &value;
  if (kind == "__numpy__" || kind == "__tensor__") {
    const Json* inner = keras::find(value, "config");
    content = inner ? keras::find(*inner, "value") : nullptr;
    if (!content) site_.fail("'{}' is an array without a value", key);
  }
  Constant constant;
  for (const Json* part = content; part->is_array(); part = &part->front()) {
    if (part->empty() || constant.shape.size() == kMaxAxes || part->size() > kMaxElements)
      site_.fail("'{}' should be a number or an array of numbers", key);
    constant.shape.push_back(static_cast<int>(part->size()));
  }
  if (!flatten(*this, *content, key, 0, constant))
    site_.fail("the lists in '{}' are of different lengths", key);
  return constant;
}

int Config::integer(std::string_view key, int lo, int hi) const {
  const Json* value = find(key);
  if (!value) site_.fail("'{}' is missing from its configuration", key);
  return as_integer(*value, key, lo, hi);
}

int Config::integer_or(std::string_view key, int otherwise, int lo, int hi) const {
  const Json* value = find(key);
  return value ? as_integer(*value, key, lo, hi) : otherwise;
}

bool Config::flag(std::string_view key, bool otherwise) const {
  const Json* value = find(key);
  if (!value) return otherwise;
  if (value->is_number()) return as_integer(*value, key, 0, 1) != 0;
  if (!value->is_boolean()) site_.fail("'{}' should be true or false, not {}", key, show(*value));
  return value->get<bool>();
}

float Config::number(std::string_view key, float otherwise) const {
  const Json* value = find(key);
  return value ? as_number(*value, key) : otherwise;
}

std::string Config::text(std::string_view key, std::string otherwise) const {
  const Json* value = find(key);
  if (!value) return otherwise;
  if (!value->is_string()) site_.fail("'{}' should be a text, not {}", key, show(*value));
  return value->get<std::string>();
}

std::vector<int> Config::integers(std::string_view key, int lo, int hi) const {
  const Json* value = find(key);
  if (!value) site_.fail("'{}' is missing from its configuration", key);
  if (!value->is_array()) return {as_integer(*value, key, lo, hi)};
  if (value->size() > 64) site_.fail("'{}' has {} entries", key, value->size());
  std::vector<int> list;
  for (const Json& part : *value) list.push_back(as_integer(part, key, lo, hi));
  return list;
}

nnom::Size Config::size(std::string_view key, int axes, nnom::Size otherwise) const {
  if (!find(key)) return otherwise;
  const std::vector<int> list = integers(key, 1, kMaxWindow);
  if (list.size() != 1 && list.size() != static_cast<size_t>(axes))
    site_.fail("'{}' should have {} entries, not {}", key, axes, list.size());
  return {axes == 1 ? 1 : list.front(), list.back()};
}

int Config::axis(std::string_view key, int otherwise, int rank) const {
  const Json* value = find(key);
  if (value && value->is_array()) {
    if (value->size() != 1) site_.fail("not supported yet: '{}' {}", key, show(*value));
    value = &value->front();
  }
  int axis = value ? as_integer(*value, key, -rank - 1, rank) : otherwise;
  if (axis < 0) axis += rank + 1;
  if (axis == 0) site_.fail("'{}' is the axis of the batch, which a microcontroller hasn't", key);
  return axis - 1;
}

}  // namespace nnomc::keras
