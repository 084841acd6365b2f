// The examples with sound: both models of each word against what was said, the same words and bytes
// from a PC as from an emulated board, and how much noise is taken away.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "compiler/compile.hpp"
#include "compiler/data/labels.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/firmware/firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/file.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/metrics.hpp"

namespace nnomc {
namespace {

const std::string kExamples = NNOM_SOURCE_DIR "/examples/";
constexpr Scaling kScaling{1.0 / 256, 0};

bool have_tools() {
  return !find_program("arm-none-eabi-g++").empty() && !find_program("qemu-system-arm").empty();
}

/// A model of an example for the M4, written into a folder.
Program convert(const std::string& example, const std::string& model, const std::string& name,
                bool stream, const TempDir& folder) {
  const Graph graph = load_model(kExamples + example + "/" + model + ".keras");
  Samples samples(graph, {kExamples + example + "/calibration.npy"}, kScaling);
  if (stream) samples.make_stream();
  CompileOptions options;
  options.target = "cortex-m4";
  Program program = compile(graph, samples, options);
  EmitOptions emitting;
  emitting.name = name, emitting.file = name + ".hpp";
  const Generated text = emit(program, emitting);
  write_file(folder.file(name + ".hpp"), text.header);
  write_file(folder.file(name + ".cpp"), text.source);
  return program;
}

/// What an example prints on this computer (core "") or on an emulated core. Its models lie in the
/// folder.
std::string run_example(const std::string& core, const std::string& example,
                        const std::vector<std::string>& models, const TempDir& folder,
                        const std::vector<std::string>& arguments) {
  std::vector<std::string> sources = {kExamples + example + "/main.cpp"};
  for (const std::string& model : models) sources.push_back(folder.file(model + ".cpp"));
  if (!core.empty()) {
    const std::string elf =
        build_firmware({.core = core,
                        .sources = sources,
                        .include_dirs = {folder.path().string(), kExamples + example},
                        .directory = folder.file(core),
                        .defines = {}});
    const nnomc::Run run = run_firmware(
        elf, core, {.arguments = arguments, .timeout = std::chrono::seconds(300), .count = false});
    check(run);
    return run.output;
  }
  Command compile{.arguments = {"c++", "-std=c++20", "-O2", "-ffp-contract=off", "-Wall", "-Wextra",
                                "-Wconversion", "-Werror", "-I" + folder.path().string(),
                                "-I" + kExamples + example, "-I" NNOM_SOURCE_DIR "/runtime",
                                "-I" NNOM_SOURCE_DIR "/ports", "-o", folder.file("program"),
                                NNOM_SOURCE_DIR "/ports/host/host.cpp"}};
  compile.arguments.insert(compile.arguments.end(), sources.begin(), sources.end());
  const Outcome built = run_command(compile);
  EXPECT_EQ(built.exit_code, 0) << built.errors;
  Command program{.arguments = {folder.file("program")}};
  program.arguments.insert(program.arguments.end(), arguments.begin(), arguments.end());
  const Outcome ran = run_command(program);
  EXPECT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  return ran.output;
}

/// The lines that hold no time of this computer.
std::string without_times(const std::string& text) {
  return std::regex_replace(text, std::regex("[^\n]* us\n"), "");
}

/// The words that a model is said to have heard.
std::vector<std::string> words_heard(const std::string& text, const std::string& model) {
  const std::regex line(" ms  " + model + "  (\\w+) +\\d+ %");
  std::vector<std::string> words;
  for (std::sregex_iterator i(text.begin(), text.end(), line), end; i != end; ++i)
    words.push_back((*i)[1]);
  return words;
}

TEST(KeywordSpotting, HearsWhatIsSaid) {
  const TempDir folder;
  const std::vector<std::string> models = {"cnn", "rnn"};
  for (const std::string& model : models) convert("keyword_spotting", model, model, false, folder);
  const std::string here = run_example("", "keyword_spotting", models, folder, {});
  std::vector<std::string> said = {"yes",  "stop", "left",  "go",  "up",
                                   "down", "no",   "right", "off", "on"};
  EXPECT_EQ(words_heard(here, "RNN"), said) << here;
  said[4] = "off";  // its one mistake
  EXPECT_EQ(words_heard(here, "CNN"), said) << here;
  if (!have_tools()) GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  const std::string there = run_example("cortex-m4", "keyword_spotting", models, folder, {});
  EXPECT_EQ(without_times(here), without_times(there));
}

/// Samples of the test set that a program knows.
std::size_t right(const Program& program, const Samples& samples,
                  const std::vector<std::uint32_t>& labels) {
  const Measured ran = run_on_host(program, inputs_of(program, samples), "");
  return classify(output_values(program, ran, 0), labels, 12, 1).top(1);
}

TEST(KeywordSpotting, Int8LosesAtMostAPoint) {
  const std::string data = kExamples + "keyword_spotting/test_features.npy";
  for (const char* model : {"cnn", "rnn"}) {
    const TempDir folder;
    const Program int8 = convert("keyword_spotting", model, model, false, folder);
    const Graph graph = load_model(kExamples + "keyword_spotting/" + model + ".keras");
    const Samples samples(graph, {data}, kScaling);
    const auto labels =
        read_classes(kExamples + "keyword_spotting/test_labels.npy", 12, samples.count());
    const std::size_t real = right(lower_float(graph), samples, labels);
    EXPECT_GT(real, samples.count() * 85 / 100) << model;
    EXPECT_GE(right(int8, samples, labels) + samples.count() / 100, real) << model;
  }
}

double decibels(const std::string& text, const std::string& what) {
  std::smatch found;
  return std::regex_search(text, found, std::regex(what + " +(-?[0-9.]+) dB")) ? std::stod(found[1])
                                                                               : -100;
}

TEST(NoiseSuppression, TakesNoiseAway) {
  const TempDir folder;
  convert("noise_suppression", "model", "denoiser", true, folder);
  const std::string noisy = kExamples + "noise_suppression/noisy.wav",
                    clean = kExamples + "noise_suppression/clean.wav";
  const auto run = [&](const std::string& core, const std::string& out) {
    return run_example(core, "noise_suppression", {"denoiser"}, folder,
                       {noisy, folder.file(out), clean});
  };
  const std::string here = run("", "here.wav");
  EXPECT_NEAR(decibels(here, "SNR before"), 5, 0.1) << here;
  EXPECT_GT(decibels(here, "improvement"), 4.5) << here;
  EXPECT_EQ(read_file(folder.file("here.wav")).size(), read_file(noisy).size());
  if (!have_tools()) GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  const std::string there = run("cortex-m4", "there.wav");
  EXPECT_EQ(without_times(here), without_times(there));
  EXPECT_EQ(read_file(folder.file("here.wav")), read_file(folder.file("there.wav")));
}

/// What `nnom run` gives for the denoiser's calibration data.
std::vector<std::byte> run_denoiser(const std::vector<std::string>& options) {
  const TempDir folder;
  const std::string example = kExamples + "noise_suppression/";
  Command command{.arguments = {NNOM_BINARY, "run", example + "model.keras", "--calibrate",
                                example + "calibration.npy", "--scale", "1/256", "--input",
                                example + "calibration.npy", "-o", folder.file("out.bin")}};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  const Outcome outcome = run_command(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  return read_file(folder.file("out.bin"));
}

TEST(NoiseSuppression, AStreamIsTheSameOnTheBoard) {
  const auto stream = run_denoiser({"--keep-state"});
  EXPECT_NE(stream, run_denoiser({}));
  if (!have_tools()) GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  EXPECT_EQ(stream, run_denoiser({"--keep-state", "--on", "cortex-m4"}));
}

}  // namespace
}  // namespace nnomc
