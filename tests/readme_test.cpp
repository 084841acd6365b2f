// Every command and every piece of code in the documents, really run and compiled.
//
// ```sh    each line is a command, run in a folder that looks like the project's
// ```cpp   a whole source file, compiled beside the demo's model under the name it includes. A
//          second word is c++11, run (then its main must return 0), compiler (it includes headers
//          of the compiler), or the folder in tests/vendor that declares what a vendor's files
//          would
// ```c     the same, of a model converted with --c-api, as strict C99
// ```python is run by python/tests/test_documents.py
// ```cmake a whole CMakeLists.txt (cmake_test builds by it)
// ```text  after ```sh: what the commands print, abridged; else only for people
//
// With NNOM_UPDATE_DOCUMENTS=1 in the environment, lines shown whose numbers have changed are
// replaced by what is printed now.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "tests/documents.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = NNOM_SOURCE_DIR;
const std::string kDemo = NNOM_SOURCE_DIR "/examples/fashion_mnist/";

/// Commands that are not run, by how they begin.
struct Skipped {
  const char* begins;
  const char* because;
};
constexpr Skipped kSkipped[] = {
    {"git clone", "needs a network"},
    {"sudo apt-get", "installs packages"},
    {"scripts/setup.sh build", "installs packages"},
    {"cmake --", "configures or builds everything once more"},
    {"sudo cmake --install", "installs"},
    {"ctest", "runs this very test"},
    {"NNOM_CMSIS_NN=", "needs a CMSIS-NN"},
    {"python3 -m venv", "training needs a network and minutes"},
    {"venv/bin/", "training needs a network and minutes"},
    {"build/fuzz/", "built by make fuzz only"},
};

const char* why_skipped(const std::string& command) {
  for (const Skipped& s : kSkipped)
    if (command.starts_with(s.begins)) return s.because;
  if (command.starts_with("python3 ") && find_program("python3").empty()) return "needs python3";
  const bool firmware = command.find("arm-none-eabi-") != std::string::npos ||
                        command.find("qemu-system-arm") != std::string::npos ||
                        command.find("--on cortex-") != std::string::npos;
  if (firmware &&
      (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty()))
    return "needs arm-none-eabi-g++ and qemu-system-arm";
  return nullptr;
}

/// A folder that looks like the project's root; what is written there stays there.
class Copy {
 public:
  Copy() {
    for (const auto& entry : fs::directory_iterator(kRoot)) {
      const std::string name = entry.path().filename().string();
      if (name != "build" && name != ".git") fs::create_symlink(entry.path(), folder_.file(name));
    }
    fs::create_directory(folder_.file("build"));
    fs::create_symlink(NNOM_BINARY, folder_.file("build/nnom"));
  }

  Outcome run(const std::string& command) const {
    // A make around this test is none of the command's business.
    return run_command(
        {.arguments = {"env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "COLUMNS=100", "PATH=" + path(),
                       "bash", "-eu", "-o", "pipefail", "-c", command},
         .directory = folder_.path().string(),
         .timeout = std::chrono::seconds(300)});
  }

 private:
  std::string path() const { return folder_.file("build") + ":" + std::getenv("PATH"); }

  TempDir folder_;
};

/// What `make demo` runs, but for building the command.
std::string demo_command(const Copy& copy) {
  for (const std::string& command : commands_in(copy.run("make -n demo").output))
    if (command.starts_with("build/nnom ")) return command;
  return "make demo doesn't run build/nnom";
}

/// What to run instead of a command. Make builds everything and runs these very tests: it is enough
/// that its targets are there.
std::string run_instead(const Copy& copy, std::string command) {
  if (command == "make demo") return demo_command(copy);
  if (command == "make" || command.starts_with("make ")) command.insert(4, " -n");
  return command;
}

/// Whether two lines differ in numbers only. If `close_ones`, those have to be near: where samples
/// are counted ("465 of 500") the same, else within a tenth, as times and sizes of code depend on
/// the compiler.
bool agree(const std::string& a, const std::string& b, bool close_ones) {
  const std::vector<std::string> x = words_of(a), y = words_of(b);
  if (x.size() != y.size()) return false;
  const bool exact = close_ones && std::count(x.begin(), x.end(), "of") > 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i]) continue;
    const auto p = number_in(x[i]), q = number_in(y[i]);
    if (!p || !q || exact || (close_ones && !close(*p, *q))) return false;
  }
  return true;
}

/// The line of `output` that agrees with `line`, or nothing.
std::optional<std::string> find_line(const std::string& line, const std::string& output,
                                     bool close_ones) {
  for (const std::string& printed : lines_of(output))
    if (agree(line, printed, close_ones)) return printed;
  return {};
}

bool is_abridged(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(' ');
  return begin == std::string::npos || line.compare(begin, std::string::npos, "...") == 0;
}

/// The lines of `shown`, but for "...", that `output` doesn't hold.
std::string lines_missing(const std::string& shown, const std::string& output) {
  std::string missing;
  for (const std::string& line : lines_of(shown))
    if (!is_abridged(line) && !find_line(line, output, true)) missing += line + "\n";
  return missing;
}

/// Writes the numbers of `output` into a block of a document.
void update(const std::string& path, const CodeBlock& block, const std::string& output) {
  std::ifstream file(kRoot / path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  file.close();
  std::string updated;
  for (const std::string& line : lines_of(block.text))
    // Rather a line that is near than another row of the same table.
    updated += (is_abridged(line) ? line
                                  : find_line(line, output, true)
                                        .value_or(find_line(line, output, false).value_or(line))) +
               "\n";
  text.replace(text.find("```text\n" + block.text) + 8, block.text.size(), updated);
  std::ofstream(kRoot / path) << text;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

/// The documents that hold blocks of a language.
std::vector<std::string> documents_with(const std::string& language) {
  std::vector<std::string> paths;
  for (const Document& document : all_documents())
    if (std::any_of(document.blocks.begin(), document.blocks.end(),
                    [&](const CodeBlock& block) { return block.language == language; }))
      paths.push_back(document.path);
  return paths;
}

class Commands : public testing::TestWithParam<std::string> {};

TEST_P(Commands, RunAndPrintWhatIsShown) {
  const Copy copy;
  std::optional<std::string> output;  // of the block before
  for (const CodeBlock& block : read_document(GetParam()).blocks) {
    const std::string place = GetParam() + ":" + std::to_string(block.line);
    if (block.language == "text" && output) {
      if (is_updating())
        update(GetParam(), block, *output);
      else
        EXPECT_EQ(lines_missing(block.text, *output), "")
            << place << " shows these, but the commands before it print:\n"
            << *output << "(NNOM_UPDATE_DOCUMENTS=1 takes the new numbers over)";
    }
    output.reset();
    if (block.language != "sh") continue;
    for (const std::string& command : commands_in(block.text)) {
      const std::string instead = run_instead(copy, command);
      if (why_skipped(instead) != nullptr) continue;
      const Outcome outcome = copy.run(instead);
      EXPECT_EQ(outcome.exit_code, 0)
          << place << ": " << instead << "\n"
          << (outcome.timed_out ? "took too long\n" : "") << outcome.output << outcome.errors;
      output = output.value_or("") + outcome.output + outcome.errors;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Documents, Commands, testing::ValuesIn(documents_with("sh")), test_name);

/// The generated models that a piece of code includes: "mnist.hpp" is the demo's, called mnist;
/// what ends in _rows takes its input by rows.
std::set<std::string> models_in(const CodeBlock& block) {
  const std::regex include(block.language == "c" ? "#include \"(\\w+)\\.h\""
                                                 : "#include \"(\\w+)\\.hpp\"");
  const std::string& code = block.text;
  std::set<std::string> names;
  for (std::sregex_iterator i(code.begin(), code.end(), include), end; i != end; ++i)
    if (const std::string name = (*i)[1]; !fs::exists(kRoot / "ports" / (name + ".hpp")))
      names.insert(name);
  return names;
}

class Code : public testing::TestWithParam<std::string> {};

TEST_P(Code, Compiles) {
  const TempDir folder;
  for (const CodeBlock& block : read_document(GetParam()).blocks) {
    const bool is_c = block.language == "c";
    if (block.language != "cpp" && !is_c) continue;
    for (const std::string& name : models_in(block)) {
      const Outcome converted =
          run_command({.arguments = {NNOM_BINARY, "convert", kDemo + "model.keras", "--calibrate",
                                     kDemo + "calibration.npy", "--scale", "1/255", "--calibration",
                                     "min-max", "--calibration-samples", "2",
                                     name.ends_with("_rows") ? "--input-by-rows" : "--c-api", "-o",
                                     folder.file(name + ".hpp")}});
      ASSERT_EQ(converted.exit_code, 0) << converted.errors;
    }
    const std::string source = folder.file(is_c ? "block.c" : "block.cpp");
    std::ofstream(source) << block.text;
    std::vector<std::string> arguments = {"c++",   "-std=c++20", "-fsyntax-only",
                                          "-Wall", "-Wextra",    "-Werror"};
    for (const fs::path& include : {folder.path(), kRoot / "runtime", kRoot / "ports"})
      arguments.push_back("-I" + include.string());
    const bool runs = block.flavour == "run";
    if (is_c) {
      arguments[0] = "cc", arguments[1] = "-std=c99";
      arguments.push_back("-pedantic");
    } else if (block.flavour == "c++11") {
      arguments[1] = "-std=c++11";
    } else if (runs) {
      arguments[2] = "-o" + folder.file("block");
    } else if (block.flavour == "compiler") {
      arguments.push_back("-I" + kRoot.string());
    } else if (!block.flavour.empty()) {
      const fs::path vendor = kRoot / "tests/vendor" / block.flavour;
      ASSERT_TRUE(fs::exists(vendor)) << GetParam() << ":" << block.line;
      arguments.push_back("-I" + vendor.string());
      if (fs::exists(vendor / "prelude.hpp"))
        arguments.insert(arguments.end(), {"-include", (vendor / "prelude.hpp").string()});
    }
    arguments.push_back(source);
    const Outcome outcome = run_command({.arguments = arguments});
    EXPECT_EQ(outcome.exit_code, 0) << GetParam() << ":" << block.line << ":\n"
                                    << outcome.output << outcome.errors;
    if (runs && outcome.exit_code == 0) {
      EXPECT_EQ(run_command({.arguments = {folder.file("block")}}).exit_code, 0)
          << GetParam() << ":" << block.line << " runs, but doesn't return 0";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Documents, Code, testing::ValuesIn(documents_with("cpp")), test_name);

TEST(Documents, BlocksAreOfAKnownLanguage) {
  for (const Document& document : all_documents())
    for (const CodeBlock& block : document.blocks)
      EXPECT_TRUE(block.language == "sh" || block.language == "cpp" || block.language == "c" ||
                  block.language == "cmake" || block.language == "python" ||
                  block.language == "text")
          << document.path << ":" << block.line << ": '" << block.language << "'";
}

/// The rows of the README's table of public models: the cells after the file's name.
std::map<std::string, std::vector<std::string>> public_models() {
  std::map<std::string, std::vector<std::string>> rows;
  for (const ProseLine& line : read_document("README.md").prose) {
    std::vector<std::string> cells;
    std::istringstream stream(line.text);
    for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(cell);
    static const std::regex file("`(\\w+\\.h5)`");
    std::smatch name;
    if (cells.size() > 6 && std::regex_search(cells[1], name, file))
      rows[name[1]] = {cells.begin() + 2, cells.end()};
  }
  return rows;
}

/// The path of a public model, which is not part of this project; empty if it isn't here.
std::string find_model(const std::string& name) {
  const fs::path folder = NNOM_SHARED_DIR "/models";
  if (!fs::exists(folder)) return {};
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().filename() == name) return entry.path().string();
  return {};
}

/// What `nnom evaluate --json` says of a model's cost.
nlohmann::json cost_of(const std::string& model, std::vector<std::string> options) {
  std::vector<std::string> arguments = {NNOM_BINARY, "evaluate", model, "--json", "-"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const Outcome outcome = run_command({.arguments = arguments});
  if (outcome.exit_code != 0) throw std::runtime_error(outcome.errors);
  return nlohmann::json::parse(outcome.output);
}

// Columns: right answers, RAM for any core and for M4, TFLite Micro's, instructions, TFLite
// Micro's.
TEST(PublicModels, TakeTheRamThatTheReadmeSays) {
  const auto rows = public_models();
  EXPECT_EQ(rows.size(), 5u);
  for (const auto& [name, cells] : rows) {
    const std::string model = find_model(name);
    if (model.empty()) GTEST_SKIP() << "the public models are not here";
    for (const auto& [target, cell] :
         {std::pair("any", cells[1]), std::pair("cortex-m4", cells[2])})
      EXPECT_EQ(number_in(words_of(cell).at(0)),
                cost_of(model, {"--target", target})["arena_bytes"].get<double>())
          << name << " for " << target;
  }
}

TEST(SlowPublicModels, RunAsFastAsTheReadmeSays) {
  for (const auto& [name, cells] : public_models()) {
    const std::string model = find_model(name);
    if (model.empty() || why_skipped("qemu-system-arm") != nullptr)
      GTEST_SKIP() << "the public models, or the emulator, are not here";
    const double millions =
        cost_of(model, {"--on", "cortex-m4"})["instructions"].get<double>() / 1e6;
    EXPECT_TRUE(close(number_in(words_of(cells[4]).at(0)).value_or(0), millions))
        << name << ": " << millions << " million instructions";
  }
}

}  // namespace
}  // namespace nnomc
