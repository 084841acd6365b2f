#include "tests/compile.hpp"

#include <fstream>
#include <iterator>
#include <sstream>

#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"

namespace nnomc {

bool has_compiler(const std::string& name) { return !find_program(name).empty(); }

std::string missing_for(const std::string& core) {
  const Board board = find_board(core);
  if (find_program(board.compiler).empty()) return board.compiler_packages;
  return find_program(board.emulator).empty() ? board.emulator_packages : "";
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Said run_program(const std::vector<std::string>& arguments, const std::string& directory) {
  const Outcome outcome = run_command({.arguments = arguments, .directory = directory});
  return {outcome.exit_code == 0, outcome.output + outcome.errors};
}

std::string complaint(const std::string& source, const std::vector<std::string>& flags,
                      const std::string& compiler) {
  const TempDir folder;
  std::ofstream(folder.file("test.cpp")) << source;
  std::vector<std::string> arguments = {compiler, "-c", "-o", folder.file("test.o")};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.push_back(folder.file("test.cpp"));
  const Said said = run_program(arguments);
  return said.success && said.output.empty() ? "" : said.output + (said.success ? "" : "failed\n");
}

}  // namespace nnomc
