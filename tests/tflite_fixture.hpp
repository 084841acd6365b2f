/// \file
/// The arrays that tests/fixtures/tflite/*.py write: models, samples, and what TFLite gives.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "compiler/io/array.hpp"
#include "compiler/io/zip.hpp"
#include "compiler/numbers.hpp"

namespace nnomc {

class Fixture {
 public:
  explicit Fixture(const std::string& path) : zip_(path) {
    for (const std::string& name : zip_.names()) names_.insert(name);
  }
  std::vector<std::string> cases() const {
    std::vector<std::string> found;
    for (const std::string& name : names_)
      if (name.ends_with("/model.npy")) found.push_back(name.substr(0, name.find('/')));
    return found;
  }
  bool has(const std::string& name) const { return names_.contains(name + ".npy"); }
  Array read(const std::string& name) const {
    return parse_npy(name, zip_.read(name + ".npy", 1 << 26));
  }
  /// The samples of every input.
  std::vector<Array> inputs(const std::string& name) const { return all(name + "/in"); }
  /// What TFLite gave in a dialect, of every output; none if it refuses the case.
  std::vector<Array> outputs(const std::string& name, Rounding rounding) const {
    return all(name + (rounding == Rounding::single_rounding ? "/single" : "/double"));
  }

 private:
  std::vector<Array> all(const std::string& prefix) const {
    std::vector<Array> arrays;
    for (int i = 0; has(prefix + std::to_string(i)); ++i)
      arrays.push_back(read(prefix + std::to_string(i)));
    return arrays;
  }

  Zip zip_;
  std::set<std::string> names_;
};

}  // namespace nnomc
