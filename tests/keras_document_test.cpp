/// \file
/// docs/keras.md against the importer's tables and against the options that real Keras writes: it
/// lists every layer, operation and activation there is, and every option of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "compiler/import/keras_catalogue.hpp"
#include "compiler/import/keras_file.hpp"
#include "tests/documents.hpp"

namespace nnomc {
namespace {

using Names = std::set<std::string>;

/// What stands in `code` marks.
Names code_in(const std::string& text) {
  static const std::regex code("`([^`]+)`");
  Names names;
  for (std::sregex_iterator i(text.begin(), text.end(), code), end; i != end; ++i)
    names.insert((*i)[1]);
  return names;
}

/// A row of a table: its layers, the options that work and the ones that are refused.
struct Row {
  Names layers, options, refused;
  bool as_rnn;  ///< "and those of RNN"
};

struct Reference {
  std::vector<Row> rows;
  std::map<std::string, std::string> paragraphs;  ///< the prose behind each heading
};

Reference read_reference() {
  Reference r;
  std::string heading;
  for (const ProseLine& line : read_document("docs/keras.md").prose) {
    if (line.text.starts_with("## ")) heading = line.text.substr(3);
    if (!line.text.starts_with("| `")) {
      r.paragraphs[heading] += line.text + "\n";
      continue;
    }
    std::vector<std::string> cells;
    std::istringstream stream(line.text.substr(1));
    for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(cell);
    r.rows.push_back({code_in(cells.at(0)), code_in(cells.at(1)), code_in(cells.at(2)),
                      cells[1].find("those of RNN") != std::string::npos});
  }
  return r;
}

Names names_of(const std::vector<std::string_view>& list) { return {list.begin(), list.end()}; }

TEST(KerasDocument, ListsEveryLayer) {
  const Reference reference = read_reference();
  Names listed = code_in(reference.paragraphs.at("Dropped"));
  for (const Row& row : reference.rows) listed.insert(row.layers.begin(), row.layers.end());
  // Where a layer is treated on its own.
  Names there = names_of(keras::layer_classes());
  there.insert("TimeDistributed");
  EXPECT_EQ(listed, there);
}

TEST(KerasDocument, ListsEveryOperationAndActivation) {
  const Reference reference = read_reference();
  Names operations = code_in(reference.paragraphs.at("Operations"));
  for (const char* other : {"keras.ops", "tf"}) operations.erase(other);
  EXPECT_EQ(operations, names_of(keras::operation_names()));
  Names activations = code_in(reference.paragraphs.at("Activations"));
  activations.erase("activation");
  EXPECT_EQ(activations, names_of(keras::activation_names()));
}

/// The fields of each class of layer in `config` and in what it holds.
void collect(const nlohmann::json& config, std::map<std::string, Names>& fields) {
  if (config.is_object() && config.contains("class_name") && config["class_name"].is_string() &&
      config.contains("config") && config["config"].is_object() &&
      config.value("module", "").find(".ops") == std::string::npos)
    for (const auto& field : config["config"].items())
      fields[config["class_name"]].insert(field.key());
  if (config.is_structured())
    for (const nlohmann::json& inner : config) collect(inner, fields);
}

/// Of every layer in the fixtures, each field that Keras wrote is an option here, and each option
/// is such a field.
TEST(KerasDocument, ListsEveryOptionThatKerasHas) {
  std::map<std::string, Names> fields;
  for (const auto& entry :
       std::filesystem::directory_iterator(NNOM_SOURCE_DIR "/tests/fixtures/keras"))
    if (entry.path().extension() == ".keras" || entry.path().extension() == ".h5")
      collect(read_keras_file(entry.path().string()).config, fields);

  const Reference reference = read_reference();
  const Names idle = code_in(reference.paragraphs.at("Options that change nothing"));
  const auto changes_nothing = [&](const std::string& field) {
    return idle.contains(field) || field.ends_with("_initializer") ||
           field.ends_with("_regularizer") || field.ends_with("_constraint");
  };
  const auto rnn = std::find_if(reference.rows.begin(), reference.rows.end(),
                                [](const Row& row) { return row.layers.contains("RNN"); });
  ASSERT_NE(rnn, reference.rows.end());
  size_t seen = 0;
  for (const Row& row : reference.rows) {
    Names named = row.options, written;
    named.insert(row.refused.begin(), row.refused.end());
    if (row.as_rnn) {
      named.insert(rnn->options.begin(), rnn->options.end());
      named.insert(rnn->refused.begin(), rnn->refused.end());
    }
    for (const std::string& layer : row.layers) {
      for (const std::string& field : fields[layer]) {
        written.insert(field);
        EXPECT_TRUE(named.contains(field) || changes_nothing(field)) << layer << ": " << field;
      }
      seen += fields[layer].empty() ? 0 : 1;
    }
    // "initial_state" and the statistics of Normalization are no fields of a file.
    for (const std::string& option : row.options)
      EXPECT_TRUE(written.empty() || written.contains(option) || option == "initial_state")
          << option << " of " << *row.layers.begin();
  }
  EXPECT_GT(seen, 45u);
}

}  // namespace
}  // namespace nnomc
