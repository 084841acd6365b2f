#include "compiler/firmware/boards.hpp"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "compiler/error.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

using Json = nlohmann::json;

std::string ports_dir() { return data_dir() + "/ports/"; }

Json read_table() {
  const std::string file = ports_dir() + "boards.json";
  try {
    return Json::parse(as_text(read_file(file)));
  } catch (const Json::exception& error) {
    throw Error("{}: {}", file, error.what());
  }
}

/// `entry` over the board it starts from: its lists are appended, its texts replace.
Json resolve(const Json& boards, const Json& entry, int depth = 0) {
  if (depth > 10) throw Error("boards.json: a board starts from itself");
  const std::string parent = entry.value("board", "");
  Json result = parent.empty() ? Json::object() : resolve(boards, boards.at(parent), depth + 1);
  for (const auto& [key, value] : entry.items()) {
    if (value.is_array() && result.contains(key)) {
      result[key].insert(result[key].end(), value.begin(), value.end());
    } else {
      result[key] = value;
    }
  }
  return result;
}

Board read_board(const std::string& core, const Json& json) {
  Board board;
  board.core = core;
  json.at("compiler").get_to(board.compiler);
  json.at("compiler_packages").get_to(board.compiler_packages);
  json.at("flags").get_to(board.flags);
  json.at("link_flags").get_to(board.link_flags);
  json.at("sources").get_to(board.sources);
  json.at("emulator").get_to(board.emulator);
  json.at("emulator_packages").get_to(board.emulator_packages);
  board.emulator_flags = json.value("emulator_flags", board.emulator_flags);
  json.at("machine").get_to(board.machine);
  board.cycle_model = json.value("cycle_model", "");
  const std::string ports = ports_dir();
  board.linker_script = ports + json.at("linker_script").get<std::string>();
  board.harness = ports + json.at("harness").get<std::string>();
  for (std::string& source : board.sources) source = ports + source;
  return board;
}

std::vector<std::string> names(const Json& table) {
  std::vector<std::string> result;
  for (const auto& [name, entry] : table.at("cores").items()) result.push_back(name);
  return result;
}

}  // namespace

Board find_board(const std::string& core) {
  const Json table = read_table();
  try {
    const Json& cores = table.at("cores");
    if (!cores.contains(core)) {
      throw Error("no core '{}'; there are {}", core, fmt::join(names(table), ", "));
    }
    return read_board(core, resolve(table.at("boards"), cores.at(core)));
  } catch (const Json::exception& error) {
    throw Error("{}boards.json: core '{}': {}", ports_dir(), core, error.what());
  }
}

std::vector<std::string> core_names() { return names(read_table()); }

}  // namespace nnomc
