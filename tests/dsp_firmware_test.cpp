// runtime/nnom/dsp on emulated cores: the same bytes as on the host, and what a frame costs. And
// configurations that make no sense, which must not compile.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compiler/firmware/firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"
#include "tests/compile.hpp"
#include "tests/dsp_bytes.hpp"

namespace nnomc {
namespace {

std::string built(const std::string& core, const std::string& optimise, const TempDir& folder) {
  return build_firmware({.core = core,
                         .sources = {NNOM_SOURCE_DIR "/tests/firmware/dsp.cpp"},
                         .include_dirs = {},
                         .optimise = optimise,
                         .directory = folder.file("build"),
                         .defines = {}});
}

TEST(DspOnCores, SameBytesAsOnTheHost) {
  std::vector<std::byte> want;
  dsp_bytes::run([&](const void* data, size_t bytes) {
    const auto* from = static_cast<const std::byte*>(data);
    want.insert(want.end(), from, from + bytes);
  });
  for (const auto& [core, optimise] : {std::pair("cortex-m0", "-O2"),
                                       {"cortex-m0", "-Os"},
                                       {"cortex-m4", "-O3"},
                                       {"cortex-m4", "-O0"},
                                       {"cortex-m55", "-O2"},
                                       {"riscv32", "-O2"}}) {
    if (const std::string missing = missing_for(core); !missing.empty())
      GTEST_SKIP() << "needs " << missing;
    const TempDir folder;
    check(run_firmware(built(core, optimise, folder), core,
                       {.arguments = {folder.file("out"), "none"}, .count = false}));
    const auto got = read_file(folder.file("out"));
    EXPECT_TRUE(std::equal(got.begin(), got.end(), want.begin(), want.end()))
        << core << " " << optimise;
  }
}

/// Instructions, at most a tenth more than docs/dsp.md says.
TEST(DspOnCores, CostWhatTheDocumentSays) {
  if (!missing_for("cortex-m4").empty() || cycles_plugin().empty())
    GTEST_SKIP() << "needs an emulator that counts";
  struct Cost {
    const char *core, *what;
    unsigned instructions;
  };
  const TempDir folder;
  std::string elf, core;
  for (const Cost& c : {Cost{"cortex-m4", "mfcc", 38700},
                        {"cortex-m4", "fft", 26800},
                        {"cortex-m4", "cascade", 35600},
                        {"cortex-m4", "equaliser", 190000},
                        {"cortex-m0", "mfcc", 276000}}) {
    if (core != c.core) elf = built(core = c.core, "-O2", folder);
    const nnomc::Run run = run_firmware(elf, core, {.arguments = {folder.file("out"), c.what}});
    check(run);
    ASSERT_TRUE(run.instructions.has_value());
    EXPECT_LT(*run.instructions, c.instructions * 11 / 10) << c.core << " " << c.what;
    RecordProperty(c.core + std::string(" ") + c.what, std::to_string(*run.instructions));
  }
}

struct Refused {
  const char *code, *message;
};
const Refused kRefused[] = {
    {"MfccConfig c{.hop = 600}; Mfcc<c> x;", "hop must be from 1 to frame"},
    {"MfccConfig c{.hop = 0}; Mfcc<c> x;", "hop must be from 1 to frame"},
    {"MfccConfig c{.fft = 500}; Mfcc<c> x;", "fft must be a power of two from 64 to 2048"},
    {"MfccConfig c{.frame = 3000}; Mfcc<c> x;", "fft must be a power of two from 64 to 2048"},
    {"MfccConfig c{.frame = 512, .fft = 256}; Mfcc<c> x;", "a frame must not be longer than fft"},
    {"MfccConfig c{.pre_emphasis = 1}; Mfcc<c> x;", "pre_emphasis must be in [0, 1)"},
    {"MfccConfig c{.bands = 128}; LogMel<c> x;", "a mel band lies between two bins"},
    {"MfccConfig c{.low = 5000, .high = 4000}; Mfcc<c> x;", "low must be in [0, high)"},
    {"MfccConfig c{.high = 9000}; Mfcc<c> x;", "high must not be above half of sample_rate"},
    {"MfccConfig c{.coefficients = 41}; Mfcc<c> x;", "coefficients must be from 1 to bands"},
    {"Biquad c[] = {low_pass(16000, 9000)}; Cascade<c> x;", "a filter is unstable"},
    {"Biquad c[] = {high_shelf(16000, 100, 40)}; Cascade<c> x;", "a coefficient of a filter"},
    {"int c = 0; RealFft<500> x;", "the length of an FFT is a power of two from 64 to 2048"},
};

TEST(Dsp, SenselessConfigurationsDoNotCompile) {
  const auto said = [](const std::string& code) {
    return complaint(
        "#include \"nnom/dsp/equaliser.hpp\"\n#include \"nnom/dsp/mfcc.hpp\"\n"
        "using namespace nnom::dsp;\nconstexpr " +
            code + "\n",
        {"-std=c++20", "-Wall", "-Wextra", "-Wno-unused-variable",
         "-I" NNOM_SOURCE_DIR "/runtime"});
  };
  EXPECT_EQ(said("MfccConfig c{}; Mfcc<c> x;"), "");
  for (const Refused& r : kRefused)
    EXPECT_NE(said(r.code).find(r.message), std::string::npos) << r.code << "\n" << said(r.code);
}

}  // namespace
}  // namespace nnomc
