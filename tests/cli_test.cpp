// The command `nnom` as its users meet it: the built program, run.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"
#include "tests/compile.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

const std::string kExample = NNOM_SOURCE_DIR "/examples/fashion_mnist/";
const std::string kModel = kExample + "model.keras";
const std::vector<std::string> kCalibrate = {"--calibrate", kExample + "calibration.npy", "--scale",
                                             "1/255"};

Outcome nnom(const std::vector<std::string>& arguments, const std::string& folder = {}) {
  Command command;
  command.arguments = {NNOM_BINARY};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.directory = folder;
  command.timeout = std::chrono::seconds(120);
  return run_command(command);
}

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path);
  return std::string(as_text(bytes));
}

#define EXPECT_CONTAINS(text, part) \
  EXPECT_NE((text).find(part), std::string::npos) << "in: " << (text)

TEST(Cli, VersionAndHelp) {
  const Outcome version = nnom({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.output, "nnom " NNOM_VERSION "\n");
  EXPECT_CONTAINS(nnom({"--help"}).output, "Examples:");
  for (const char* command :
       {"convert", "inspect", "evaluate", "run", "compare", "report", "testset", "hooks"}) {
    SCOPED_TRACE(command);
    const Outcome help = nnom({command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_TRUE(help.errors.empty());
    EXPECT_CONTAINS(help.output, "Example");
    EXPECT_CONTAINS(help.output, std::string("  nnom ") + command + " model.keras");
  }
}

TEST(Cli, MisuseIsSaidOnStderr) {
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const Case cases[] = {
      {{}, "Usage: nnom"},
      {{"frobnicate"}, "there is no command 'frobnicate'"},
      {{"--frobnicate"}, "--frobnicate"},
      {{"inspect"}, "MODEL is required"},
      {{"convert", "m.keras", "--calibrate", "x.npy", "--rounding", "up"}, "single,double"},
      {{"convert", "m.keras", "--calibrate", "x.npy", "--scale", "1/0"}, "1/0"},
      {{"convert", "m.keras", "--calibrate", "x.npy", "--per-tensor", "--per-channel"}, "excludes"},
      {{"convert", "m.keras", "--calibrate", "x.npy", "--section", "a b"}, "--section"},
      {{"evaluate", "m.keras", "--on", "z80"}, "z80"},
      {{"evaluate", "m.keras", "--limit", "0"}, "--limit"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::PrintToString(c.arguments));
    const Outcome outcome = nnom(c.arguments);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_TRUE(outcome.output.empty()) << outcome.output;
    EXPECT_CONTAINS(outcome.errors, c.message);
  }
}

TEST(Cli, ErrorsSayWhatIsWrongAndLeaveNoFile) {
  const TempFolder folder;
  write_file(folder / "random.keras", "this is no model");
  write_npy(folder / "wrong.npy", {DType::u8, {10, 9, 9}, std::vector<std::byte>(810)});
  write_npy(folder / "labels.npy", {DType::u8, {3}, std::vector<std::byte>(3)});
  Array infinite{DType::f32, {1, 28, 28}, std::vector<std::byte>(28 * 28 * 4, std::byte{0xff})};
  write_npy(folder / "nan.npy", infinite);
  const std::string data = kExample + "test_images.npy";
  struct Case {
    std::vector<std::string> arguments;
    std::vector<std::string> parts;
  };
  const Case cases[] = {
      {{"inspect", "absent.keras"}, {"absent.keras"}},
      {{"inspect", "random.keras"}, {"random.keras"}},
      {{"inspect", kModel, "--target", "z80"}, {"z80", "cortex-m4"}},
      {{"convert", kModel, "-o", "m.hpp"}, {"--calibrate X, some 100 typical ones of 28 x 28 x 1"}},
      {{"convert", kModel, "--calibrate", "absent.npy", "-o", "m.hpp"}, {"absent.npy"}},
      {{"convert", kModel, "--calibrate", "wrong.npy", "-o", "m.hpp"},
       {"wrong.npy", "10 x 9 x 9", "28 x 28 x 1"}},
      {{"convert", kModel, "--calibrate", "nan.npy", "-o", "m.hpp"}, {"not"}},
      {std::vector<std::string>{"convert", kModel, "-o", "absent/m.hpp"} + kCalibrate,
       {"absent/m"}},
      {std::vector<std::string>{"convert", kModel, "-o", "m.cpp"} + kCalibrate, {"m.hpp"}},
      {std::vector<std::string>{"convert", kModel, "--name", "a b"} + kCalibrate, {"a_b"}},
      {std::vector<std::string>{"convert", kModel, "--name", "class"} + kCalibrate,
       {"class_model"}},
      {std::vector<std::string>{"convert", kModel, "--ram-limit", "2k"} + kCalibrate,
       {"--ram-limit 2048", "layer 'pointwise' (Conv2D)", "the least is 5040"}},
      {std::vector<std::string>{"convert", kModel, "--flash-limit", "20000"} + kCalibrate,
       {"--flash-limit is 20000", "23896", "layer 'deep' (Conv2D)"}},
      {std::vector<std::string>{"convert", kModel, "--emit", "layers", "--ram-limit", "9k"} +
           kCalibrate,
       {"--emit layers", "--ram-limit"}},
      {{"evaluate", kModel, "--data", data, "--labels", "labels.npy"}, {"labels.npy", "3", "500"}},
      {{"evaluate", kModel, "--labels", "labels.npy"}, {"--data"}},
      {{"evaluate", kModel, "--data", data, "--metric", "mse"}, {"--labels"}},
      {{"evaluate", kModel, "--data", data, "--metric", "auc"}, {"auc"}},
      {{"evaluate", kModel, "--float", "--on", "cortex-m4"}, {"--float"}},
      {{"run", kModel, "--input", "labels.bin", "-o", "y.npy"}, {"--calibrate"}},
      {{"run", kModel, "--input", "nan.npy", "-o", "y.npy"}, {"nan.npy", "sample 0"}},
      {{"run", kModel, "--input", data, "-o", "y.npy", "-o", "z.npy"}, {"1 output"}},
      {{"compare", kModel, "--calibrate", "wrong.npy"}, {"wrong.npy"}},
      {{"compare", kModel, "--calibrate", "random"}, {"needs real samples"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::PrintToString(c.arguments));
    const int before = folder.count();
    const Outcome outcome = nnom(c.arguments, folder / ".");
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_TRUE(outcome.output.empty()) << outcome.output;
    EXPECT_TRUE(outcome.errors.starts_with("nnom: error: ")) << outcome.errors;
    for (const std::string& part : c.parts) EXPECT_CONTAINS(outcome.errors, part);
    EXPECT_EQ(folder.count(), before);
  }
}

TEST(Cli, ConvertGivesTheSameBytesWhereverItRuns) {
  const TempFolder a, b;
  for (const TempFolder* folder : {&a, &b}) {
    const Outcome outcome = nnom(
        std::vector<std::string>{"convert", kModel, "-o", "mnist.hpp"} + kCalibrate, *folder / ".");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
    EXPECT_CONTAINS(outcome.output, "mnist::Model");
    EXPECT_EQ(folder->count(), 2);
  }
  for (const char* file : {"mnist.hpp", "mnist.cpp"}) {
    EXPECT_EQ(text_of(a / file), text_of(b / file));
    EXPECT_EQ(text_of(a / file).find(kExample), std::string::npos);
  }
  ASSERT_EQ(
      nnom(std::vector<std::string>{"convert", kModel, "--single-header"} + kCalibrate, a / ".")
          .exit_code,
      0);
  EXPECT_CONTAINS(text_of(a / "model.hpp"), "namespace model");
  EXPECT_EQ(a.count(), 3);
  ASSERT_EQ(
      nnom(std::vector<std::string>{"convert", kModel, "--emit", "layers", "-o", "by_hand.hpp"} +
               kCalibrate,
           a / ".")
          .exit_code,
      0);
  EXPECT_CONTAINS(text_of(a / "by_hand.hpp"), "m.layer(");
  EXPECT_EQ(a.count(), 4);
}

TEST(Cli, CalibratedAtRandomIsForSizingOnlyAndSaysSo) {
  const TempFolder folder;
  const Outcome outcome =
      nnom({"convert", kModel, "--calibrate", "random", "-o", "m.hpp"}, folder / ".");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_CONTAINS(outcome.output, "FOR SIZING");
  for (const char* file : {"m.hpp", "m.cpp"})
    EXPECT_CONTAINS(text_of(folder / file), "#pragma message \"m is for sizing only");
  const Outcome measured = nnom({"evaluate", kModel, "--calibrate", "random"});
  ASSERT_EQ(measured.exit_code, 0) << measured.errors;
  EXPECT_CONTAINS(measured.output, "FOR SIZING");
}

TEST(Cli, AsksWhereSamplesLookScaledOtherwise) {
  const std::vector<std::string> command = {"evaluate",    kModel,
                                            "--data",      kExample + "test_images.npy",
                                            "--calibrate", kExample + "calibration.npy"};
  const Outcome raw = nnom(command);
  EXPECT_EQ(raw.exit_code, 0);
  EXPECT_CONTAINS(raw.errors, "nnom: warning: input 'image'");
  EXPECT_CONTAINS(raw.errors, "--scale 1/255");
  EXPECT_EQ(nnom(command + std::vector<std::string>{"--scale", "1/255"}).errors, "");
}

TEST(Cli, AFailedSecondFileTakesTheFirstAlong) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "m.hpp");
  const Outcome outcome =
      nnom(std::vector<std::string>{"convert", kModel, "-o", "m.hpp"} + kCalibrate, folder / ".");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(folder.count(), 1);
}

TEST(Cli, InspectNeedsNoSamples) {
  const Outcome outcome = nnom({"inspect", kModel, "--target", "cortex-m4"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  for (const char* part : {"28 x 28 x 1", "Conv2D", "total", "RAM", "Flash", "cortex-m4"})
    EXPECT_CONTAINS(outcome.output, part);
}

TEST(Cli, EvaluateAndItsJson) {
  const TempFolder folder;
  const Outcome outcome =
      nnom(std::vector<std::string>{"evaluate", kModel, "--data", kExample + "test_images.npy",
                                    "--labels", kExample + "test_labels.npy", "--limit", "100",
                                    "--json", folder / "r.json", "--with-float"} +
           kCalibrate);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  for (const char* part : {"top-1", "top-3", "of 100", "Confusion", "precision", "recall", "total"})
    EXPECT_CONTAINS(outcome.output, part);
  const auto json = nlohmann::json::parse(text_of(folder / "r.json"));
  EXPECT_EQ(json["model"], "model");
  EXPECT_EQ(json["on"], "host");
  EXPECT_EQ(json["samples"], 100);
  EXPECT_GT(json["top1"], 0.85);
  EXPECT_GE(json["topk"], json["top1"]);
  EXPECT_GT(json["float_top1"], 0.85);
  EXPECT_GT(json["macs"], 1000000);
  EXPECT_GT(json["arena_bytes"], 1000);
  EXPECT_GT(json["weights_bytes"], 20000);
  for (const char* key : {"code_bytes", "stack_bytes", "instructions", "cycles"}) {
    ASSERT_TRUE(json.contains(key)) << key;
    EXPECT_TRUE(json[key].is_null()) << key;
  }
}

TEST(Cli, EvaluateWithoutDataRunsOnNoise) {
  const Outcome outcome = nnom({"evaluate", kModel, "--json", "-"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["samples"], 1);
  EXPECT_TRUE(json["top1"].is_null());
  EXPECT_TRUE(json["topk"].is_null());
  EXPECT_EQ(json.size(), 14u);
}

TEST(Cli, RunWritesNumbersAndBytes) {
  const TempFolder folder;
  const auto run = [&](const std::string& input, const std::string& output) {
    const Outcome outcome =
        nnom(std::vector<std::string>{"run", kModel, "--input", input, "-o", folder / output} +
             kCalibrate);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    EXPECT_TRUE(outcome.output.empty()) << outcome.output;
  };
  run(kExample + "calibration.npy", "y.npy");
  run(kExample + "calibration.npy", "y.bin");
  const Array y = read_array(folder / "y.npy");
  EXPECT_EQ(y.shape, (std::vector<std::int64_t>{100, 10}));
  const std::string bytes = text_of(folder / "y.bin");
  ASSERT_EQ(bytes.size(), 1000u);
  double sum = 0;
  for (int i = 0; i < 10; ++i) sum += y.at(i);
  EXPECT_NEAR(sum, 1, 0.03);
  // The softmax's step is 1/256, its zero point -128.
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(y.at(i) * 256 - 128, static_cast<signed char>(bytes[static_cast<std::size_t>(i)]));
  write_file(folder / "x.bin", std::string(2 * 784, '\x80'));
  run(folder / "x.bin", "z.bin");
  EXPECT_EQ(text_of(folder / "z.bin").size(), 20u);
}

TEST(Cli, ABoardGivesTheHostsBytesAndWhatItCosts) {
  if (find_program("qemu-system-arm").empty() || find_program("arm-none-eabi-g++").empty())
    GTEST_SKIP() << "qemu-system-arm and gcc-arm-none-eabi are not installed";
  const TempFolder folder;
  const auto run = [&](const std::string& on) {
    const Outcome outcome =
        nnom(std::vector<std::string>{"run", kModel, "--input", kExample + "calibration.npy", "-o",
                                      folder / (on + ".bin"), "--on", on} +
             kCalibrate);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return text_of(folder / (on + ".bin"));
  };
  EXPECT_EQ(run("host"), run("cortex-m4"));
  const Outcome outcome = nnom(std::vector<std::string>{"evaluate", kModel, "--on", "cortex-m4",
                                                        "--json", folder / "r.json"} +
                               kCalibrate);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto json = nlohmann::json::parse(text_of(folder / "r.json"));
  EXPECT_EQ(json["on"], "cortex-m4");
  for (const char* key : {"code_bytes", "stack_bytes", "instructions", "cycles"}) {
    SCOPED_TRACE(key);
    ASSERT_TRUE(json[key].is_number());
    EXPECT_GT(json[key], 100);
  }
  EXPECT_LT(json["code_bytes"], 50000);
}

TEST(Cli, CompareShowsTheWorstFirst) {
  const Outcome outcome = nnom(std::vector<std::string>{"compare", kModel} + kCalibrate);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  for (const char* part : {"SQNR", "stem", "probabilities", "worst"})
    EXPECT_CONTAINS(outcome.output, part);
}

}  // namespace
}  // namespace nnomc
