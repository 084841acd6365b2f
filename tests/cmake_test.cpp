// CMake projects outside of this one: the package that is installed, the tree as a subdirectory,
// and cross compilation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <regex>

#include "compiler/firmware/paths.hpp"
#include "tests/compile.hpp"
#include "tests/documents.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const fs::path kDemo = NNOM_SOURCE_DIR "/examples/fashion_mnist";

/// An application's folder, with an installed nnom beside it.
class CMake : public testing::Test {
 protected:
  CMake() {
    fs::copy(NNOM_SOURCE_DIR "/tests/cmake_app", app_);
    for (const char* file : {"model.keras", "calibration.npy"})
      fs::copy(kDemo / file, app_ + "/" + file);
    const std::string build = fs::path(NNOM_BINARY).parent_path();
    installed_ = run({"cmake", "--install", build, "--prefix", prefix_}).success;
  }

  Said run(const std::vector<std::string>& command) const { return run_program(command, app_); }
  Said configure(const std::vector<std::string>& options) const {
    return run(words("cmake -G Ninja -B build") + options);
  }
  Said build() const { return run(words("cmake --build build")); }

  TempFolder folder_;
  const std::string app_ = folder_ / "app", prefix_ = folder_ / "prefix";
  bool installed_ = false;
};

TEST_F(CMake, FindsThePackageAndConvertsWhenTheModelChanges) {
  ASSERT_TRUE(installed_);
  const Said configured = configure({"-DCMAKE_PREFIX_PATH=" + prefix_, "-DCORE=any"});
  ASSERT_TRUE(configured.success) << configured.output;
  const Said first = build();
  ASSERT_TRUE(first.success) << first.output;
  EXPECT_THAT(first.output, HasSubstr("Converting"));
  const Said answer = run({"build/app"});
  EXPECT_TRUE(answer.success);
  EXPECT_EQ(words(answer.output).size(), 10) << answer.output;

  EXPECT_THAT(build().output, Not(HasSubstr("Converting")));
  for (const char* file : {"model.keras", "calibration.npy"}) {
    fs::last_write_time(app_ + "/" + file, fs::file_time_type::clock::now());
    EXPECT_THAT(build().output, HasSubstr("Converting")) << file;
  }

  // The tree itself gives the same.
  const Said tree = configure({"-DNNOM_TREE=" NNOM_SOURCE_DIR, "-DNNOM_EXECUTABLE=" NNOM_BINARY});
  ASSERT_TRUE(tree.success) << tree.output;
  const Said second = build();
  ASSERT_TRUE(second.success) << second.output;
  EXPECT_EQ(run({"build/app"}).output, answer.output);
}

TEST_F(CMake, CrossCompiles) {
  if (!has_compiler("arm-none-eabi-g++")) GTEST_SKIP() << "needs arm-none-eabi-g++";
  ASSERT_TRUE(installed_);
  const std::vector<std::string> core = {
      "-DCMAKE_SYSTEM_NAME=Generic",
      "-DCMAKE_SYSTEM_PROCESSOR=arm",
      "-DCMAKE_CXX_COMPILER=arm-none-eabi-g++",
      "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",
      "-DCMAKE_CXX_FLAGS=-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16",
      "-DCORE=cortex-m4"};
  for (const auto& way : {std::vector<std::string>{"-DCMAKE_PREFIX_PATH=" + prefix_},
                          {"-DNNOM_TREE=" NNOM_SOURCE_DIR, "-DNNOM_EXECUTABLE=" NNOM_BINARY}}) {
    SCOPED_TRACE(way.front());
    fs::remove_all(app_ + "/build");
    const Said configured = configure(core + way);
    ASSERT_TRUE(configured.success) << configured.output;
    const Said built = build();
    ASSERT_TRUE(built.success) << built.output;
    EXPECT_TRUE(fs::exists(app_ + "/build/libapp.a"));
  }
}

TEST_F(CMake, BuildsByWhatDocumentsShow) {
  ASSERT_TRUE(installed_);
  int blocks = 0;
  for (const Document& document : all_documents())
    for (const CodeBlock& block : document.blocks) {
      if (block.language != "cmake") continue;
      SCOPED_TRACE(document.path + ":" + std::to_string(block.line));
      ++blocks;
      fs::remove_all(app_ + "/build");
      std::ofstream(app_ + "/CMakeLists.txt") << block.text;
      const Said configured = configure({"-DCMAKE_PREFIX_PATH=" + prefix_});
      ASSERT_TRUE(configured.success) << configured.output;
      const Said built = build();
      ASSERT_TRUE(built.success) << built.output;
    }
  EXPECT_GT(blocks, 0);
}

TEST_F(CMake, ConvertsAgainWhenAFolderOfPicturesChanges) {
  ASSERT_TRUE(installed_);
  fs::create_directory(app_ + "/pictures");
  const fs::path picture = NNOM_SOURCE_DIR "/tests/fixtures/media/grey.png";
  fs::copy(picture, app_ + "/pictures/a.png");
  for (const char* samples : {"random", "pictures"}) {
    SCOPED_TRACE(samples);
    std::ofstream(app_ + "/CMakeLists.txt")
        << "cmake_minimum_required(VERSION 3.22)\nproject(app LANGUAGES CXX)\n"
           "find_package(nnom REQUIRED)\nadd_executable(app main.cpp)\n"
           "nnom_add_model(app model.keras NAME fashion CALIBRATE "
        << samples << " OPTIONS --scale 1/255)\n";
    const Said configured = configure({"-DCMAKE_PREFIX_PATH=" + prefix_});
    ASSERT_TRUE(configured.success) << configured.output;
    const Said built = build();
    EXPECT_TRUE(built.success) << built.output;
    EXPECT_EQ(built.output.find("for sizing only") != std::string::npos,
              samples == std::string("random"))
        << built.output;
    EXPECT_THAT(build().output, Not(HasSubstr("Converting")));
  }
  fs::copy(picture, app_ + "/pictures/b.png");
  EXPECT_THAT(build().output, HasSubstr("Converting"));
}

TEST_F(CMake, SaysWhatIsWrong) {
  ASSERT_TRUE(installed_);
  struct Case {
    std::string call, message;
  };
  for (const Case& c : {
           Case{"nnom_add_model(other model.keras)", "there is no target 'other'"},
           Case{"nnom_add_model(app absent.keras)", "absent.keras is not there"},
           Case{"nnom_add_model(app model.keras CALIBRATE x.npz:images)", "x.npz is not there"},
           Case{"nnom_add_model(app model.keras calibration.npy)", "what is 'calibration.npy'"},
       }) {
    SCOPED_TRACE(c.call);
    fs::remove_all(app_ + "/build");
    std::ofstream(app_ + "/CMakeLists.txt") << "cmake_minimum_required(VERSION 3.22)\n"
                                               "project(app LANGUAGES CXX)\n"
                                               "find_package(nnom REQUIRED)\n"
                                               "add_executable(app main.cpp)\n"
                                            << c.call << "\n";
    const Said said = configure({"-DCMAKE_PREFIX_PATH=" + prefix_});
    EXPECT_FALSE(said.success);
    EXPECT_THAT(std::regex_replace(said.output, std::regex("\\s+"), " "), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace nnomc
