// Each header of the runtime compiles alone, on every compiler there is.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "compiler/emit/emit.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const std::string kRuntime = NNOM_SOURCE_DIR "/runtime";

/// Those an application includes; they are C++11.
const std::vector<std::string> kForApplications = {
    "nnom/analyse.hpp",  "nnom/evaluate.hpp", "nnom/model.hpp", "nnom/tensor.hpp",
    "nnom/test_run.hpp", "nnom/testset.hpp",  "nnom/text.hpp"};
/// Those written with the instructions of one family, and the toolchains that know them; only
/// target/native.hpp includes them.
struct Family {
  const char* begins;
  std::vector<std::string> toolchains;
};
const Family kFamilies[] = {
    {"nnom/target/dsp", {"cortex_m4", "cortex_m55"}},
    {"nnom/target/helium", {"cortex_m55"}},
    {"nnom/target/thumb", {"cortex_m0", "cortex_m3", "cortex_m4", "cortex_m55"}},
    {"nnom/target/vnni", {"gcc_vnni", "clang_vnni"}}};

struct Toolchain {
  const char* name;
  const char* compiler;
  std::vector<std::string> flags;
  Layout layout = Layout::plain;

  friend void PrintTo(const Toolchain& t, std::ostream* out) { *out << t.name; }
};

const std::vector<std::string> kVnni = {"-O2",        "-mavx512f",    "-mavx512dq", "-mavx512bw",
                                        "-mavx512vl", "-mavx512vnni", "-mbmi2"};

const Toolchain kToolchains[] = {
    {"gcc", "g++", {}},
    {"clang", "clang++", {}},
    {"gcc_vnni", "g++", kVnni, Layout::quads},
    {"clang_vnni", "clang++", kVnni, Layout::quads},
    {"cortex_m0", "arm-none-eabi-g++", {"-mthumb", "-mcpu=cortex-m0"}},
    {"cortex_m3", "arm-none-eabi-g++", {"-mthumb", "-mcpu=cortex-m3"}, Layout::vector},
    {"cortex_m4",
     "arm-none-eabi-g++",
     {"-mthumb", "-mcpu=cortex-m4", "-mfloat-abi=hard"},
     Layout::dsp},
    {"cortex_m55",
     "arm-none-eabi-g++",
     {"-mthumb", "-mcpu=cortex-m55", "-mfloat-abi=hard"},
     Layout::helium},
    {"riscv32", "riscv64-unknown-elf-g++", {"-march=rv32imc", "-mabi=ilp32"}, Layout::vector},
};

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

const Family* family_of(const std::string& header) {
  for (const Family& family : kFamilies)
    if (header.starts_with(family.begins)) return &family;
  return nullptr;
}

std::vector<std::string> headers() {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(kRuntime))
    if (entry.path().extension() == ".hpp")
      names.push_back(fs::relative(entry.path(), kRuntime).string());
  std::sort(names.begin(), names.end());
  return names;
}

class Headers : public testing::TestWithParam<Toolchain> {
 protected:
  void SetUp() override {
    if (!has_compiler(GetParam().compiler)) GTEST_SKIP() << "needs " << GetParam().compiler;
  }
  static std::string compile(const std::string& source, std::vector<std::string> flags) {
    flags.insert(flags.end(), GetParam().flags.begin(), GetParam().flags.end());
    flags.insert(flags.end(), {"-Wall", "-Wextra", "-Wconversion", "-Werror", "-I" + kRuntime,
                               "-I" NNOM_SOURCE_DIR "/tests/vendor/cmsis_nn"});
    return complaint(source, flags, GetParam().compiler);
  }
  /// Compiles a file that includes nothing but `header`, twice.
  static std::string alone(const std::string& header, const std::vector<std::string>& flags) {
    return compile(fmt::format("#include \"{0}\"\n#include \"{0}\"\n", header), flags);
  }
};

TEST_P(Headers, CompileAlone) {
  const std::vector<std::string> names = headers();
  ASSERT_GT(names.size(), 20u);
  std::vector<std::string> complaints(names.size());
  in_parallel(names.size(), [&](size_t i) {
    const Family* const family = family_of(names[i]);
    if (family && !contains(family->toolchains, GetParam().name)) return;
    complaints[i] =
        alone(names[i], {"-std=c++20", "-ffreestanding", "-fno-exceptions", "-fno-rtti"});
  });
  for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(complaints[i], "") << names[i];
}

/// As an application does that includes a model in one header.
TEST_P(Headers, CompileTogether) {
  std::string all = "#include \"nnom/nnom.hpp\"\n";
  for (const std::string& name : kForApplications) all += "#include \"" + name + "\"\n";
  EXPECT_EQ(compile(all, {"-std=c++20", "-ffreestanding", "-fno-exceptions", "-fno-rtti"}), "");
}

TEST_P(Headers, ThoseOfApplicationsAreCpp11) {
  for (const std::string& name : kForApplications)
    for (const char* standard : {"-std=c++11", "-std=gnu++14", "-std=c++17", "-std=c++20"})
      EXPECT_EQ(alone(name, {standard, "-ffreestanding", "-Wpedantic", "-Wshadow"}), "")
          << name << " " << standard;
}

/// And the code behind the headers, of every op, in each way the compiler writes it.
TEST_P(Headers, AGeneratedModelCompiles) {
  const Graph graph = all_ops_graph(4);
  for (const Optimise optimise : {Optimise::size, Optimise::speed}) {
    EmitOptions options;
    options.optimise = optimise;
    const bool compact = optimise == Optimise::size && GetParam().layout == Layout::dsp;
    const Program program = lower(graph, usual_scales(graph),
                                  {.numbers = {true, Rounding::double_rounding,
                                               compact ? Layout::compact : GetParam().layout}});
    std::string source = emit_single_header(program, options);
    source.erase(source.find("#pragma once"), 12);
    EXPECT_EQ(compile(source + "model::Model net;\nvoid run() { net.run(); }\n",
                      {"-std=c++20", "-O2", "-ffreestanding", "-fno-exceptions", "-fno-rtti"}),
              "");
  }
}

INSTANTIATE_TEST_SUITE_P(All, Headers, testing::ValuesIn(kToolchains),
                         [](const auto& toolchain) { return toolchain.param.name; });

TEST(Headers, AskForCpp20) {
  for (const std::string& name : headers()) {
    if (contains(kForApplications, name) || family_of(name)) continue;
    const std::string said =
        complaint("#include \"" + name + "\"\n",
                  {"-std=c++17", "-I" + kRuntime, "-I" NNOM_SOURCE_DIR "/tests/vendor/cmsis_nn"});
    EXPECT_NE(said.find("NNoM's runtime needs C++20: compile this file with -std=c++20"),
              std::string::npos)
        << name << ": " << said;
  }
}

}  // namespace
}  // namespace nnomc
