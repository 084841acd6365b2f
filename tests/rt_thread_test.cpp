/// \file
/// The package of docs/rt-thread.md, made by the commands there, built for the host with
/// declarations of RT-Thread's functions, and its shell's commands run.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/file.hpp"
#include "tests/compile.hpp"
#include "tests/documents.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const std::string kRoot = NNOM_SOURCE_DIR;
const std::string kVendor = kRoot + "/tests/vendor/rt-thread";

/// The lines of a session at the shell: without spaces at their ends.
std::string trimmed(const std::string& text) {
  std::string lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  return lines;
}

class RtThread : public testing::TestWithParam<const char*> {
 protected:
  /// The package as the document makes it, but for any core.
  void SetUp() override {
    for (const char* name : {"examples", "ports", "runtime"})
      fs::create_directory_symlink(kRoot + "/" + name, folder_ / name);
    std::string commands;
    for (const CodeBlock& block : document_.blocks)
      if (block.language == "sh") commands += block.text;
    const std::string target = "--target cortex-m4";
    commands.replace(commands.find(target), target.size(), "--target any");
    const Outcome made =
        run_command({.arguments = {"env",
                                   "PATH=" + fs::path(NNOM_BINARY).parent_path().string() + ":" +
                                       std::getenv("PATH"),
                                   "bash", "-eu", "-c", commands},
                     .directory = folder_ / "."});
    ASSERT_EQ(made.exit_code, 0) << made.errors;
  }

  std::string package() const { return folder_ / "packages/mnist"; }

  TempFolder folder_;
  Document document_ = read_document(GetParam());
};

TEST_P(RtThread, CommandsPrintWhatIsShown) {
  const std::string program = folder_ / "shell";
  std::vector<std::string> compiler = {"g++",
                                       "-std=c++20",
                                       "-O1",
                                       "-Wall",
                                       "-Wextra",
                                       "-Werror",
                                       "-I" + package(),
                                       "-I" + kVendor,
                                       "-o",
                                       program,
                                       kVendor + "/shell.cpp"};
  for (const char* source : {"port", "commands", "reader", "mnist"})
    compiler.push_back(package() + "/" + source + ".cpp");
  const Said built = run_program(compiler);
  ASSERT_EQ(built.output, "");

  int commands = 0;
  const std::string prompt = "msh >";
  for (const CodeBlock& block : document_.blocks) {
    if (!block.text.starts_with(prompt)) continue;
    std::string text = trimmed(block.text);
    for (size_t at = 0; at < text.size(); ++commands) {
      const size_t line_end = text.find('\n', at),
                   next = std::min(text.find(prompt, line_end), text.size());
      const std::string line = text.substr(at + prompt.size(), line_end - at - prompt.size());
      EXPECT_EQ(trimmed(run_program({program, line}).output),
                text.substr(line_end + 1, next - line_end - 1))
          << line;
      at = next;
    }
  }
  EXPECT_EQ(commands, 3);
  const std::string times = run_program({program, "nnom_time 3"}).output;
  EXPECT_TRUE(times.starts_with("layer ")) << times;
  EXPECT_NE(times.find("\ntotal "), std::string::npos) << times;
  EXPECT_FALSE(run_program({program, "nnom_fly"}).success);
}

/// SCons's script names all there is to compile; run with stand-ins for RT-Thread's functions.
TEST_P(RtThread, ScriptCompilesAllSourcesAsCpp20) {
  if (find_program("python3").empty()) GTEST_SKIP() << "needs python3";
  write_file(package() + "/building.py", R"(
import glob, os
def GetCurrentDir(): return os.getcwd()
def Glob(pattern): return sorted(glob.glob(pattern))
def DefineGroup(name, src, depend, CPPPATH, LOCAL_CXXFLAGS):
    print(name, *src, CPPPATH == [os.getcwd()], LOCAL_CXXFLAGS)
    return 'group'
def Return(name): pass
)");
  const Said said = run_program({"python3", "-c", "exec(open('SConscript').read())"}, package());
  EXPECT_EQ(said.output,
            "mnist commands.cpp mnist.cpp port.cpp reader.cpp True  -std=gnu++20 -fno-exceptions "
            "-fno-rtti\n");
}

/// No C++ library, no heap, and nothing that has to be constructed before main.
TEST_P(RtThread, NeedsNothingOfTheCppLibrary) {
  for (const std::string source : {"port", "reader", "mnist"}) {
    const std::string object = folder_ / (source + ".o");
    const Said built =
        run_program({"g++", "-std=c++20", "-O1", "-fno-exceptions", "-fno-rtti", "-I" + package(),
                     "-I" + kVendor, "-c", package() + "/" + source + ".cpp", "-o", object});
    ASSERT_TRUE(built.success) << built.output;
    EXPECT_EQ(run_program({"objdump", "-h", object}).output.find("init_array"), std::string::npos);
    const std::string wanted = run_program({"nm", "-u", "-C", object}).output;
    for (const char* name : {"operator new", "malloc", "std::", "__cxa"})
      EXPECT_EQ(wanted.find(name), std::string::npos) << source << ": " << wanted;
  }
}

INSTANTIATE_TEST_SUITE_P(Guides, RtThread,
                         testing::Values("docs/rt-thread.md", "docs/rt-thread.zh.md"),
                         [](const auto& guide) {
                           return std::string(guide.param).find(".zh") == std::string::npos
                                      ? "English"
                                      : "Chinese";
                         });

}  // namespace
}  // namespace nnomc
