// Keras model files and the process that reads their HDF5: compiler/import.
#include "compiler/import/keras_file.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdlib>

#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "tests/damage.hpp"
#include "tests/keras_files.hpp"
#include "tests/temp_folder.hpp"
#include "tests/write_zip.hpp"

namespace nnomc {
namespace {

using std::chrono::milliseconds;

const Weight* find(const std::vector<Weight>& weights, const std::string& path) {
  for (const Weight& weight : weights) {
    if (weight.path == path) return &weight;
  }
  return nullptr;
}

void expect_error(const std::string& message, const std::string& reason) {
  EXPECT_NE(message.find(reason), std::string::npos) << '"' << message << "\" isn't: " << reason;
}

KerasFile read_text(const TempFolder& folder, const std::string& content,
                    const Hdf5Limits& limits = {}) {
  write_file(folder / "model", content);
  return read_keras_file(folder / "model", limits);
}

TEST(KerasFile, ReadsH5) {
  const TempFolder folder;
  for (const H5Style style : {H5Style::fixed, H5Style::variable, H5Style::split}) {
    const KerasFile file = read_text(folder, make_h5(style));
    EXPECT_TRUE(file.legacy_h5);
    EXPECT_EQ(file.path, folder / "model");
    EXPECT_EQ(file.keras_version, "2.4.0");
    EXPECT_EQ(file.config["class_name"], "Sequential");
    EXPECT_EQ(file.layer_names, (std::vector<std::string>{"input", "conv", "dense"}));
    EXPECT_EQ(file.weight_names.at("input").size(), 0U);
    const std::vector<std::string> names = {"model_weights/conv/conv/kernel:0",
                                            "model_weights/conv/conv/bias:0"};
    EXPECT_EQ(file.weight_names.at("conv"), names);
    ASSERT_EQ(file.weights.size(), 4U);
    EXPECT_EQ(file.weights[0].path, names[0]);
    EXPECT_EQ(file.weights[0].shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(file.weights[0].data, (std::vector<float>{0, 0.5F, 1, 1.5F, 2, 2.5F}));
    EXPECT_EQ(find(file.weights, "model_weights/dense/kernel:0")->data,
              (std::vector<float>{0, 0.5F, 1}));
  }
}

TEST(KerasFile, ReadsArchive) {
  const TempFolder folder;
  write_zip(folder / "x.zip", {{"metadata.json", R"({"keras_version": "3.8.0"})"},
                               {"config.json", kConfig},
                               {"model.weights.h5", make_weights_h5()}});
  const KerasFile file = read_keras_file(folder / "x.zip");
  EXPECT_FALSE(file.legacy_h5);
  EXPECT_EQ(file.keras_version, "3.8.0");
  EXPECT_EQ(file.config["class_name"], "Sequential");
  EXPECT_TRUE(file.layer_names.empty());
  // Every type becomes float; text and the optimizer's state are left out.
  ASSERT_EQ(file.weights.size(), 6U);
  for (const char* type : {"f16", "f32", "f64", "i8", "bf16"}) {
    const Weight* weight = find(file.weights, std::string("layers/") + type + "/vars/0");
    ASSERT_NE(weight, nullptr) << type;
    EXPECT_EQ(weight->data, (std::vector<float>{1, -2, 3})) << type;
    EXPECT_EQ(weight->shape, (std::vector<std::int64_t>{3}));
  }
  const Weight* scalar = find(file.weights, "layers/scalar/vars/0");
  ASSERT_NE(scalar, nullptr);
  EXPECT_EQ(scalar->data, std::vector<float>{7});
  EXPECT_TRUE(scalar->shape.empty());
}

TEST(KerasFile, RefusesWithReasons) {
  const TempFolder folder;
  const std::string weights = make_weights_h5();
  const auto archive = [&](const std::string& config, const std::string& h5) {
    write_zip(folder / "x.zip", {{"config.json", config}, {"model.weights.h5", h5}});
    return std::string(as_text(read_file(folder / "x.zip")));
  };
  write_zip(folder / "empty.zip", {{"config.json", kConfig}});
  const std::pair<std::string, std::string> cases[] = {
      {"", "neither a .keras nor an .h5"},
      {"TFL3", "neither a .keras nor an .h5"},
      {weights, "holds no model, only weights"},
      {make_h5(H5Style::external), "kernel:0' is damaged"},
      {make_h5(H5Style::outside), "is outside the file"},
      {make_h5(H5Style::unstored), "kernel:0' is damaged"},
      {make_h5(H5Style::missing), "kernel:0' is damaged"},
      {make_h5(H5Style::no_config), "holds no model"},
      {std::string(as_text(read_file(folder / "empty.zip"))), "without 'model.weights.h5'"},
      {archive("{", weights), "config.json: its configuration is damaged"},
      {archive("{}", weights), "isn't that of a Keras model"},
      {archive(R"({"class_name": 1, "config": {}})", weights), "isn't that of a Keras model"},
      {archive(std::string(100000, '['), weights), "nested too deeply"},
      {archive(kConfig, "x"), "model.weights.h5: can't be read"},
      {archive(kConfig, ""), "model.weights.h5: can't be read"},
  };
  for (const auto& [content, reason] : cases) {
    expect_error(error_of([&, &text = content] { read_text(folder, text); }), reason);
  }
  expect_error(error_of([&] { read_keras_file(folder / "."); }), "is a folder");
  expect_error(error_of([&] { read_keras_file(folder / "lost.h5"); }), "can't be opened");
  Hdf5Limits small;
  small.weights = 39;
  expect_error(error_of([&] { read_text(folder, make_h5(H5Style::fixed), small); }), "too large");
}

TEST(KerasFile, ReadsPythonJson) {
  const auto json = parse_python_json("x", R"({"a": [NaN, Infinity, -Infinity], "b": "\"NaN"})");
  EXPECT_TRUE(json["a"][0].is_null());
  EXPECT_EQ(static_cast<float>(json["a"][2].get<double>()), -HUGE_VALF);
  EXPECT_EQ(json["b"], "\"NaN");
  for (const char* text : {"", "Na", "[nan]", "[1e999]", "\"\\", "[\"\xff\"]", "{}{}"}) {
    EXPECT_THROW(parse_python_json("x", text), Error) << text;
  }
}

TEST(KerasFile, SurvivesDamage) {
  const TempFolder folder;
  Hdf5Limits limits;
  limits.time = milliseconds(1000);
  const std::string h5 = make_h5(H5Style::fixed);
  write_zip(folder / "x.zip", {{"config.json", kConfig}, {"model.weights.h5", make_weights_h5()}});
  for (const std::string& content : {h5, std::string(as_text(read_file(folder / "x.zip")))}) {
    const Outcome outcome = try_damaged(
        content, 300, content.size(), [&](const std::string& c) { read_text(folder, c, limits); });
    EXPECT_GT(outcome.refused, 50);
    RecordProperty("crashed", outcome.crashed);
  }
}

TEST(KerasFile, ReadsRealFiles) {
#ifdef NNOM_SHARED_DIR
  const std::string models = NNOM_SHARED_DIR "/models/";
#else
  const std::string models;
#endif
  if (models.empty() || !is_directory(models)) GTEST_SKIP() << "no models in ../shared";
  struct Case {
    std::string path, version, class_name;
    std::size_t layers, weights;
  };
  const Case cases[] = {
      {"ad_autoencoder/ad01.h5", "2.4.0", "Functional", 29, 56},
      {"ic_resnet8/pretrainedResnet.h5", "2.4.0", "Functional", 30, 48},
      {"kws_dscnn/kws_model.h5", "2.2.4-tf", "Model", 33, 56},
      {"mnist_keras3/model.keras", "3.8.0", "Sequential", 0, 10},
      {"mnist_tinymaix/mnist_resnet.h5", "2.10.0", "Functional", 14, 22},
      {"mnist_tinymaix/mnist_valid.h5", "2.8.0", "Sequential", 12, 20},
      {"sww_ds1d/str_ww_ref_model.h5", "2.14.0", "Functional", 23, 26},
      {"vww_mobilenetv1/vww_96.h5", "2.4.0", "Functional", 85, 164},
  };
  for (const Case& c : cases) {
    const KerasFile file = read_keras_file(models + c.path);
    EXPECT_EQ(file.keras_version, c.version) << c.path;
    EXPECT_EQ(file.config["class_name"], c.class_name) << c.path;
    EXPECT_EQ(file.layer_names.size(), c.layers) << c.path;
    EXPECT_EQ(file.weights.size(), c.weights) << c.path;
    for (const auto& [layer, names] : file.weight_names) {
      for (const std::string& name : names) EXPECT_NE(find(file.weights, name), nullptr) << name;
    }
  }
  // The structure of this file is in its first 100 KB; its weights would absorb most mutations.
  const TempFolder folder;
  Hdf5Limits limits;
  limits.time = milliseconds(1000);
  const std::string h5(as_text(read_file(models + "mnist_tinymaix/mnist_valid.h5")));
  const Outcome outcome =
      try_damaged(h5, 300, 20000, [&](const std::string& c) { read_text(folder, c, limits); });
  EXPECT_GT(outcome.refused, 50);
}

TEST(Hdf5Child, PassesMessages) {
  const Hdf5Content content = run_confined("x", {}, [](Hdf5MessageWriter& out) {
    out.weight("w", std::vector<std::int64_t>{2, 0}, {});
    out.weight("v", std::vector<std::int64_t>{}, std::vector<float>{1});
    out.weight_names("layer", {"w", "v"});
  });
  EXPECT_EQ(content.weights.size(), 2U);
  EXPECT_EQ(content.weights[0].shape, (std::vector<std::int64_t>{2, 0}));
  EXPECT_EQ(content.weight_names.at("layer")[1], "v");
}

TEST(Hdf5Child, MayFailInAnyWay) {
  struct Case {
    const char* reason;
    std::function<void(Hdf5MessageWriter&)> work;
  };
  const auto close_all = [] {
    for (int fd = 0; fd < 100; ++fd) ::close(fd);
  };
  const Case cases[] = {
      {"crashed", [](Hdf5MessageWriter&) { std::abort(); }},
      {"crashed on it (signal 11)", [](Hdf5MessageWriter&) { std::raise(SIGSEGV); }},
      {"crashed on it (exit status 3)", [](Hdf5MessageWriter&) { ::_exit(3); }},
      {"went wrong", [](Hdf5MessageWriter&) { ::_exit(0); }},
      {"didn't finish", [](Hdf5MessageWriter&) { ::pause(); }},
      {"didn't finish",
       [](Hdf5MessageWriter&) {
         while (std::chrono::steady_clock::now().time_since_epoch().count() != 0) {
         }
       }},
      {"didn't finish", [&](Hdf5MessageWriter&) { close_all(), ::pause(); }},
      {"too much memory", [](Hdf5MessageWriter&) { throw std::bad_alloc(); }},
      {"x: why?", [](Hdf5MessageWriter&) { throw Error("why\n"); }},
      {"went wrong",
       [](Hdf5MessageWriter& out) {
         const std::string noise(1 << 20, 'c');
         for (;;) out.model_config(noise);
       }},
      {"went wrong",
       [](Hdf5MessageWriter& out) {
         const std::int64_t huge = std::int64_t{1} << 61;
         out.weight("w", std::vector<std::int64_t>{huge, 4}, std::vector<float>{1});
       }},
      {"went wrong",
       [](Hdf5MessageWriter& out) { out.weight("w", std::vector<std::int64_t>{-1}, {}); }},
      {"went wrong",
       [](Hdf5MessageWriter& out) { out.weight("w", std::vector<std::int64_t>(33, 1), {}); }},
      {"went wrong", [](Hdf5MessageWriter& out) { out.end(); }},
      {"damage", [](Hdf5MessageWriter& out) { out.failure("damage"); }},
  };
  Hdf5Limits limits;
  limits.weights = 1 << 20;
  int number = 0;
  for (const Case& c : cases) {
    const auto start = std::chrono::steady_clock::now();
    limits.time = milliseconds(std::string(c.reason) == "didn't finish" ? 300 : 20000);
    expect_error(error_of([&] { run_confined("x", limits, c.work); }), c.reason);
    EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(15000)) << number;
    ++number;
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
}

}  // namespace
}  // namespace nnomc
