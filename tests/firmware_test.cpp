// Firmware of every core in ports/boards.json, really built and run: compiler/firmware, ports.
#include "compiler/firmware/firmware.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "tests/compile.hpp"

namespace nnomc {
namespace {

using std::chrono::seconds;

std::string source(const std::string& name) { return NNOM_SOURCE_DIR "/tests/firmware/" + name; }

/// The message `function` throws, or nothing.
std::string message_of(const std::function<void()>& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

class OnCore : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (const std::string missing = missing_for(GetParam()); !missing.empty())
      GTEST_SKIP() << "needs " << missing;
  }
  Build build(std::vector<std::string> sources, const std::string& optimise = "-O2") const {
    return {.core = GetParam(),
            .sources = std::move(sources),
            .include_dirs = {source("")},
            .optimise = optimise,
            .directory = folder_.file("build"),
            .defines = {fmt::format("NNOM_INTERRUPTS_OFF=\"{}\"", interrupts(false)),
                        fmt::format("NNOM_INTERRUPTS_ON=\"{}\"", interrupts(true))}};
  }
  static const char* interrupts(bool on) {
    if (find_board(GetParam()).machine == "virt")
      return on ? ".option arch,+zicsr; csrsi mstatus,8" : ".option arch,+zicsr; csrci mstatus,8";
    return on ? "cpsie i" : "cpsid i";
  }

  TempDir folder_;
};

TEST_P(OnCore, StartsUpAndKeepsTime) {
  for (const char* optimise : {"-O2", "-Os", "-O0"}) {
    const std::string elf = build_firmware(build({source("board.cpp")}, optimise));
    EXPECT_EQ(run_firmware(elf, GetParam(), {.arguments = {"memory"}}).exit_code, 0) << optimise;
    EXPECT_EQ(run_firmware(elf, GetParam(), {.arguments = {"other"}}).exit_code, 42);
    const Sizes sizes = elf_sizes(elf);
    EXPECT_GT(sizes.text, 500u);
    EXPECT_GE(sizes.data, 4u);
    EXPECT_GE(sizes.bss, 12u);
  }
  const std::string elf = build_firmware(build({source("board.cpp")}));
  const auto run = run_firmware(elf, GetParam(), {.arguments = {"clock"}, .timeout = seconds(300)});
  EXPECT_EQ(run.exit_code, 0) << run.output;
}

TEST_P(OnCore, ReportsFaultsAndHangs) {
  const std::string elf = build_firmware(build({source("board.cpp")}));
  const auto run = run_firmware(elf, GetParam(), {.arguments = {"fault"}, .timeout = seconds(60)});
  EXPECT_EQ(run.exit_code, 99);
  EXPECT_NE(message_of([&] { check(run); }).find("FAULT at pc 0x"), std::string::npos)
      << run.output;

  std::string heard;
  const RunOptions options{.arguments = {"hang"},
                           .on_line = [&](std::string_view line) { heard = line; },
                           .timeout = std::chrono::milliseconds(1500)};
  EXPECT_NE(message_of([&] { run_firmware(elf, GetParam(), options); }).find("within 1.5 s"),
            std::string::npos);
  EXPECT_EQ(heard, "waiting");
}

TEST_P(OnCore, RunsAModel) {
  const std::string elf =
      build_model_firmware(build({source("model.cpp")}), "model.hpp", "fake::Graph");
  std::vector<std::byte> input;
  for (int i = 0; i < 15; ++i) input.push_back(std::byte(10 * i));
  std::size_t done = 0, of = 0;
  const ModelRun run = run_model_firmware(elf, GetParam(), input,
                                          {.profile = true,
                                           .layers = true,
                                           .on_progress =
                                               [&](std::size_t d, std::size_t n) {
                                                 EXPECT_EQ(d, done + 1);
                                                 done = d;
                                                 of = n;
                                               },
                                           .timeout = seconds(60)});
  EXPECT_EQ(done, 3u);
  EXPECT_EQ(of, 3u);
  ASSERT_EQ(run.output.size(), 15u);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(int(run.output[std::size_t(i)]), 10 * i + 1);
  ASSERT_EQ(run.layer_output.size(), 10u);
  EXPECT_EQ(int(run.layer_output[4]), 40);
  EXPECT_EQ(int(run.layer_output[9]), 41);
  ASSERT_EQ(run.layer_ticks.size(), 2u);
  EXPECT_EQ(run.layer_ticks[0].name, "join");
  EXPECT_GT(run.stack, 0u);
  EXPECT_LT(run.stack, 500u);

  const ModelRun stream = run_model_firmware(elf, GetParam(), input, {.follow = 1 << 20});
  for (int i = 0; i < 15; ++i) EXPECT_EQ(int(stream.output[std::size_t(i)]), 10 * i + 1 + i / 5);

  input.pop_back();
  EXPECT_NE(message_of([&] { run_model_firmware(elf, GetParam(), input); }).find("multiple"),
            std::string::npos);
}

TEST_P(OnCore, CountsWork) {
  if (cycles_plugin().empty()) GTEST_SKIP() << "needs libqemu_cycles.so";
  const std::string elf =
      build_model_firmware(build({source("model.cpp")}), "model.hpp", "fake::Graph");
  const std::vector<std::byte> input(10);
  const auto run = run_model_firmware(elf, GetParam(), input).run;
  ASSERT_TRUE(run.instructions.has_value());
  ASSERT_EQ(run.layers.size(), 2u);
  EXPECT_EQ(run.cycles.has_value(), !find_board(GetParam()).cycle_model.empty());
  EXPECT_GT(run.cycles.value_or(~0ull), *run.instructions);
  std::uint64_t sum = 0;
  bool found = false;
  for (const FunctionWork& function : run.functions) {
    sum += function.work.instructions;
    found |= function.name.find("::join(") != std::string::npos;
  }
  EXPECT_EQ(sum, *run.instructions);
  EXPECT_TRUE(found);
  const auto again = run_model_firmware(elf, GetParam(), input).run;
  EXPECT_EQ(*again.instructions, *run.instructions);
}

INSTANTIATE_TEST_SUITE_P(All, OnCore, testing::ValuesIn(core_names()), [](const auto& core) {
  std::string name = core.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Firmware, ErrorsTellWhatToDo) {
  EXPECT_NE(message_of([] { find_board("cortex-x9"); }).find("there are cortex-m0,"),
            std::string::npos);
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  const TempDir folder;
  const Build build{.core = "cortex-m4",
                    .sources = {},
                    .include_dirs = {},
                    .directory = folder.file("b"),
                    .defines = {}};
  EXPECT_NE(message_of([&] { build_firmware(build); }).find("apt-get install gcc-arm-none-eabi"),
            std::string::npos);
  EXPECT_NE(message_of([] { run_firmware("x", "cortex-m4"); }).find("install qemu-system-arm"),
            std::string::npos);
  setenv("PATH", path.c_str(), 1);
}

TEST(Firmware, ShowsTheCompilersComplaint) {
  if (const std::string missing = missing_for("cortex-m4"); !missing.empty())
    GTEST_SKIP() << "needs " << missing;
  const TempDir folder;
  const auto complaint = [&](const std::string& program) {
    std::ofstream(folder.file("main.cpp")) << program;
    try {
      build_firmware({.core = "cortex-m4",
                      .sources = {folder.file("main.cpp")},
                      .include_dirs = {},
                      .directory = folder.file("b"),
                      .defines = {}});
    } catch (const BuildError& error) {
      EXPECT_FALSE(error.log.empty());
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(complaint("int main() { return x; }").find("'x' was not declared"), std::string::npos);
  EXPECT_NE(complaint("int f(); int main() { return f(); }").find("undefined reference to `f"),
            std::string::npos);
  EXPECT_NE(complaint("char big[5 << 20]; int main() { return big[9]; }").find("overflowed by"),
            std::string::npos);
}

TEST(Process, LinesOutputAndTimeLimits) {
  std::vector<std::string> lines;
  const Outcome outcome =
      run_command({.arguments = {"sh", "-c", "printf 'a\\nb'; echo c >&2; exit 3"},
                   .on_line = [&](std::string_view l) { lines.emplace_back(l); }});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.errors, "c\n");
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(run_command({.arguments = {"sleep", "9"}, .timeout = seconds(1)}).timed_out);
  EXPECT_EQ(run_command({.arguments = {"sh", "-c", "kill -9 $$"}}).exit_code, 137);
  EXPECT_THROW(run_command({.arguments = {"/nowhere/program"}}), Error);
  EXPECT_THROW(run_command({.arguments = {"sh", "-c", "echo x; sleep 9"},
                            .on_line = [](std::string_view) { throw Error("stop"); }}),
               Error);
}

TEST(TempDir, IsRemoved) {
  std::filesystem::path path;
  {
    const TempDir folder;
    path = folder.path();
    std::ofstream(folder.file("x")) << "y";
    EXPECT_TRUE(std::filesystem::exists(path / "x"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace nnomc
