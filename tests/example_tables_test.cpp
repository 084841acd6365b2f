// The tables in the examples' documents, a network a row:
//
//   | [lstm](lstm.keras) | operations | right float → int8 of samples | RAM | flash | millions of
//   instructions | millions of cycles | and what nobody measures here ...
//
// Each row is checked against what the document's first `nnom evaluate --on CORE` prints when it is
// given that row's model. NNOM_UPDATE_DOCUMENTS=1 writes today's numbers instead.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <sstream>

#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/file.hpp"
#include "compiler/report/table.hpp"
#include "tests/documents.hpp"

namespace nnomc {
namespace {

const std::string kRoot = NNOM_SOURCE_DIR "/";

struct Row {
  std::string document, folder, network, line;
  std::vector<std::string> cells;
};

/// "[lstm](lstm.keras)" is lstm.
std::string network_in(const std::string& cell) {
  const std::size_t end = cell.find("](");
  if (!cell.starts_with("[") || !cell.ends_with(".keras)")) return {};
  return cell.substr(1, end - 1);
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  std::string cell;
  std::getline(stream, cell, '|');
  while (std::getline(stream, cell, '|')) {
    const auto words = words_of(cell);
    cells.push_back(fmt::format("{}", fmt::join(words, " ")));
  }
  return cells;
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const Document& document : all_documents()) {
    if (!document.path.starts_with("examples/")) continue;
    for (const ProseLine& line : document.prose)
      if (const auto cells = cells_of(line.text); !cells.empty() && !network_in(cells[0]).empty())
        rows.push_back({document.path, document.path.substr(0, document.path.rfind('/') + 1),
                        network_in(cells[0]), line.text, cells});
  }
  return rows;
}

/// The words of the document's command, with another model.
std::vector<std::string> command_of(const Row& row) {
  for (const CodeBlock& block : read_document(row.document).blocks)
    for (const std::string& command : commands_in(block.text)) {
      if (!command.starts_with("nnom evaluate ") || command.find(" --on ") == std::string::npos)
        continue;
      std::vector<std::string> words = words_of(command);
      words[0] = NNOM_BINARY;
      words[2] = row.folder + row.network + ".keras";
      words.insert(words.end(), {"--json", "-"});
      return words;
    }
  return {};
}

/// The cells that are measured, from the second on.
std::vector<std::string> measured(const nlohmann::json& j) {
  const auto bytes = [&](const char* a, const char* b) {
    return count_text(j[a].get<int64_t>() + j[b].get<int64_t>());
  };
  const auto right = [&](const char* share) {
    return std::lround(j[share].get<double>() * j["samples"].get<double>());
  };
  const auto millions = [&](const char* n) {
    return fmt::format("{:.2f}", j[n].get<double>() / 1e6);
  };
  return {
      count_text(j["macs"].get<int64_t>()),
      fmt::format("{} → {} of {}", right("float_top1"), right("top1"), j["samples"].get<int>()),
      bytes("arena_bytes", "stack_bytes"),
      bytes("weights_bytes", "code_bytes"),
      millions("instructions"),
      millions("cycles"),
  };
}

/// The same words, numbers within 2 %: code and stack depend a little on the compiler.
bool agree(const std::string& shown, const std::string& now) {
  if (shown == now) return true;
  const auto a = number_in(shown), b = number_in(now);
  return a && b && std::abs(*a - *b) <= 0.02 * *b;
}

void update(const Row& row, const std::vector<std::string>& now) {
  std::vector<std::string> cells = row.cells;
  for (std::size_t i = 0; i < now.size() && i + 1 < cells.size(); ++i) cells[i + 1] = now[i];
  const std::string path = kRoot + row.document;
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  text.replace(text.find(row.line), row.line.size(),
               fmt::format("| {} |", fmt::join(cells, " | ")));
  write_file(path, text);
}

void PrintTo(const Row& row, std::ostream* out) { *out << row.folder << row.network; }

class ExampleTables : public testing::TestWithParam<Row> {};

TEST_P(ExampleTables, SayWhatIsMeasured) {
  if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  const Row& row = GetParam();
  const auto command = command_of(row);
  ASSERT_FALSE(command.empty()) << row.document << " has no `nnom evaluate ... --on CORE`";
  const Outcome outcome = run_command({.arguments = command, .directory = kRoot});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto json = nlohmann::json::parse(outcome.output);

  // The loss that int8 may cost.
  EXPECT_GE(json["top1"].get<double>(), json["float_top1"].get<double>() - 0.01) << row.network;

  const auto now = measured(json);
  if (is_updating()) return update(row, now);
  ASSERT_GT(row.cells.size(), now.size()) << row.document << ": " << row.line;
  for (std::size_t i = 0; i < now.size(); ++i)
    EXPECT_TRUE(agree(row.cells[i + 1], now[i]))
        << row.document << ", " << row.network << ", column " << i + 2 << ": it says '"
        << row.cells[i + 1] << "', but it is '" << now[i]
        << "' (NNOM_UPDATE_DOCUMENTS=1 takes the new numbers over)";
}

std::string test_name(const testing::TestParamInfo<Row>& info) {
  const std::string folder = info.param.folder.substr(0, info.param.folder.size() - 1);
  return folder.substr(folder.rfind('/') + 1) + "_" + info.param.network;
}

INSTANTIATE_TEST_SUITE_P(Networks, ExampleTables, testing::ValuesIn(all_rows()), test_name);

TEST(Examples, HaveARowForEachNetwork) {
  std::set<std::string> shown, present;
  for (const Row& row : all_rows()) shown.insert(row.folder + row.network);
  for (const std::string folder : {"examples/structures/", "examples/human_activity/"})
    for (const auto& entry : std::filesystem::directory_iterator(kRoot + folder))
      if (entry.path().extension() == ".keras")
        present.insert(folder + entry.path().stem().string());
  EXPECT_EQ(shown, present);
  EXPECT_FALSE(present.empty());
}

}  // namespace
}  // namespace nnomc
