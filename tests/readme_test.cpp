// Every command and every piece of code in the documents, really run and compiled.
//
// ```sh    each line is a command, run in a folder that looks like the project's
// ```cpp   a whole source file, compiled beside the demo's model under the name it includes. A
//          second word is c++11, or the folder in tests/vendor that declares what a vendor's files
//          would
// ```text  after ```sh: what the commands print, abridged; else only for people
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

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
    {"python3 -m venv", "training needs a network and minutes"},
    {"venv/bin/", "training needs a network and minutes"},
    {"build/fuzz/", "built by make fuzz only"},
};

const char* why_skipped(const std::string& command) {
  for (const Skipped& s : kSkipped)
    if (command.starts_with(s.begins)) return s.because;
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
    return run_command({.arguments = {"env", "COLUMNS=100", "PATH=" + path(), "bash", "-eu", "-o",
                                      "pipefail", "-c", command},
                        .directory = folder_.path().string(),
                        .timeout = std::chrono::seconds(300)});
  }

 private:
  std::string path() const { return folder_.file("build") + ":" + std::getenv("PATH"); }

  TempDir folder_;
};

/// The commands in a text: one a line, but for those that a backslash continues, and loops.
std::vector<std::string> commands_in(const std::string& text) {
  std::vector<std::string> commands;
  std::istringstream lines(text);
  std::string command;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const bool continued = line.back() == '\\';
    command += line.substr(begin, line.size() - begin - (continued ? 1 : 0));
    if (continued) continue;
    if (command.starts_with("for ") && !command.ends_with("done")) {
      command += "\n";
      continue;
    }
    commands.push_back(std::move(command));
    command.clear();
  }
  return commands;
}

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

/// The words of a line; the width of columns doesn't matter.
std::vector<std::string> words_of(const std::string& line) {
  std::istringstream words(line);
  return {std::istream_iterator<std::string>(words), {}};
}

/// "13,520" is 13520.
std::optional<double> number_in(std::string word) {
  std::erase(word, ',');
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (end == word.c_str() || *end != 0) return {};
  return value;
}

/// Whether two lines say the same. Counts of "N of M" and bytes are exact; times, and what follows
/// from the compiler's choices, may differ by a tenth.
bool agree(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (a.size() != b.size()) return false;
  const bool exact = std::count(a.begin(), a.end(), "of") > 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    const auto x = number_in(a[i]), y = number_in(b[i]);
    if (exact || !x || !y || std::abs(*x - *y) > 0.1 * std::max(std::abs(*x), std::abs(*y)) + 0.1)
      return false;
  }
  return true;
}

/// The lines of `shown`, abridged with "...", that `output` doesn't hold.
std::string lines_missing(const std::string& shown, const std::string& output) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream all(output);
  for (std::string line; std::getline(all, line);) lines.push_back(words_of(line));
  std::string missing;
  std::istringstream wanted(shown);
  for (std::string line; std::getline(wanted, line);) {
    const auto words = words_of(line);
    if (words.empty() || words[0] == "...") continue;
    if (std::none_of(lines.begin(), lines.end(), [&](const auto& l) { return agree(words, l); }))
      missing += line + "\n";
  }
  return missing;
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
      EXPECT_EQ(lines_missing(block.text, *output), "")
          << place << " shows these, but the commands before it print:\n" << *output;
    }
    output.reset();
    if (block.language != "sh") continue;
    for (const std::string& command : commands_in(block.text)) {
      const std::string instead = run_instead(copy, command);
      if (why_skipped(instead) != nullptr) continue;
      const Outcome outcome = copy.run(instead);
      EXPECT_EQ(outcome.exit_code, 0) << place << ": " << instead << "\n"
                                      << (outcome.timed_out ? "took too long\n" : "")
                                      << outcome.output << outcome.errors;
      output = output.value_or("") + outcome.output + outcome.errors;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Documents, Commands, testing::ValuesIn(documents_with("sh")), test_name);

/// The generated models that a piece of code includes: "mnist.hpp" is the demo's, called mnist.
std::set<std::string> models_in(const std::string& code) {
  static const std::regex include("#include \"(\\w+)\\.hpp\"");
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
    if (block.language != "cpp") continue;
    for (const std::string& name : models_in(block.text)) {
      const Outcome converted = run_command(
          {.arguments = {NNOM_BINARY, "convert", kDemo + "model.keras", "--calibrate",
                         kDemo + "calibration.npy", "--scale", "1/255", "--calibration", "min-max",
                         "--calibration-samples", "2", "-o", folder.file(name + ".hpp")}});
      ASSERT_EQ(converted.exit_code, 0) << converted.errors;
    }
    const std::string source = folder.file("block.cpp");
    std::ofstream(source) << block.text;
    std::vector<std::string> arguments = {"c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra",
                                          "-Werror"};
    for (const fs::path& include : {folder.path(), kRoot / "runtime", kRoot / "ports"})
      arguments.push_back("-I" + include.string());
    if (block.flavour == "c++11") {
      arguments[1] = "-std=c++11";
    } else if (!block.flavour.empty()) {
      const fs::path vendor = kRoot / "tests/vendor" / block.flavour;
      ASSERT_TRUE(fs::exists(vendor)) << GetParam() << ":" << block.line;
      arguments.push_back("-I" + vendor.string());
      if (fs::exists(vendor / "prelude.hpp"))
        arguments.insert(arguments.end(), {"-include", (vendor / "prelude.hpp").string()});
    }
    arguments.push_back(source);
    const Outcome outcome = run_command({.arguments = arguments});
    EXPECT_EQ(outcome.exit_code, 0)
        << GetParam() << ":" << block.line << ":\n" << outcome.output << outcome.errors;
  }
}

INSTANTIATE_TEST_SUITE_P(Documents, Code, testing::ValuesIn(documents_with("cpp")), test_name);

TEST(Documents, BlocksAreOfAKnownLanguage) {
  for (const Document& document : all_documents())
    for (const CodeBlock& block : document.blocks)
      EXPECT_TRUE(block.language == "sh" || block.language == "cpp" || block.language == "text")
          << document.path << ":" << block.line << ": '" << block.language << "'";
}

}  // namespace
}  // namespace nnomc
