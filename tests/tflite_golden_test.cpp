// Public quantised models against what TensorFlow Lite itself gave: the desktop interpreter
// (single) and TFLite Micro (double), byte for byte. The files are not part of this project.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "compiler/compile.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/passes/drop_channels.hpp"
#include "compiler/quantise/fixed_point.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

const std::string kModels = NNOM_SHARED_DIR "/models/";
using Json = nlohmann::json;

struct Case {
  const char *folder, *model;
  bool fits_m4 = true;  // the emulated board
};

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.folder; }

class Golden : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(path())) GTEST_SKIP() << "the model zoo is not here: " << kModels;
  }
  std::string path(const std::string& rest = "") const {
    return kModels + GetParam().folder + "/" + (rest.empty() ? GetParam().model : rest);
  }
  Program program(Rounding rounding, const char* target) const {
    CompileOptions options;
    options.target = target;
    options.rounding = rounding;
    return compile(load_model(path()), {}, options);
  }
};

using Bytes = std::vector<std::byte>;

Inputs from_bytes(const std::vector<Bytes>& inputs) {
  return {inputs.size(), [&inputs](size_t sample, size_t, std::span<unsigned char> to) {
            ASSERT_EQ(to.size(), inputs[sample].size());
            std::memcpy(to.data(), inputs[sample].data(), to.size());
          }};
}

void expect_bytes(const Program& program, const std::vector<Bytes>& inputs, const Bytes& want) {
  EXPECT_TRUE(run_on_host(program, from_bytes(inputs), "").outputs == want);
}

void expect_bytes_on_m4(const Program& program, const std::vector<Bytes>& inputs,
                        const Bytes& want) {
  if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  EmitOptions options;
  options.name = "model";
  const Measured run = run_on_core(program, from_bytes(inputs), "cortex-m4", options, false);
  EXPECT_TRUE(run.outputs == want);
}

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& p : parts) all.insert(all.end(), p.begin(), p.end());
  return all;
}

class GoldenMicro : public Golden {
 protected:
  std::vector<Bytes> files(const std::string& which) const {
    std::vector<Bytes> read;
    for (int i = 0; i < 4; ++i)
      read.push_back(read_file(path("golden_tflm/" + which + "/" + std::to_string(i) + ".bin")));
    return read;
  }
};

TEST_P(GoldenMicro, GivesTheBytesOfEveryOperator) {
  const Json manifest =
      Json::parse(as_text(read_file(path("golden_tflm/manifest.json"))), nullptr, true);
  const Bytes layers = read_file(path("golden_tflm/layers_of_0.bin"));
  for (const char* target : {"host", "any", "cortex-m4"})
    for (const bool all : {true, false}) {
      Graph graph = load_model(path());
      const auto kept = all ? std::vector<std::vector<bool>>(graph.tensors.size(), {true})
                            : drop_channels(graph, Rounding::double_rounding);
      const Program p =
          lower(graph, {}, {.numbers = {true, Rounding::double_rounding, layout_of(target)}});
      Simulator simulator(p);
      const std::vector<Bytes> inputs = files("input");
      std::memcpy(simulator.input_bytes(0).data(), inputs[0].data(), inputs[0].size());
      std::vector<Json> ops;  // but for those that only rename memory
      for (const Json& op : manifest["ops"])
        if (op["op"] != "RESHAPE") ops.push_back(op);
      size_t next = 0;
      simulator.run([&](size_t node, const void* output) {
        const Node& n = p.graph.nodes[node];
        if (info(n.op).alias) return;
        ASSERT_LT(next, ops.size());
        const Json& op = ops[next++];
        const std::vector<bool>& channels = kept[static_cast<size_t>(n.output)];
        Bytes want;
        for (size_t i = 0; i < op["bytes"].get<size_t>(); ++i)
          if (channels[i % channels.size()]) want.push_back(layers[op["offset"].get<size_t>() + i]);
        ASSERT_EQ(want.size(), static_cast<size_t>(p.graph.shape(n.output).size())) << n.name;
        EXPECT_EQ(std::memcmp(output, want.data(), want.size()), 0)
            << n.name << " for " << target << (all ? "" : ", idle channels left out");
      });
      EXPECT_EQ(next, ops.size());
      expect_bytes(p, inputs, joined(files("output")));
    }
}

TEST_P(GoldenMicro, GivesTheBytesOnCortexM4) {
  if (!GetParam().fits_m4) GTEST_SKIP() << "the weights don't fit the emulated board";
  expect_bytes_on_m4(program(Rounding::double_rounding, "cortex-m4"), files("input"),
                     joined(files("output")));
}

INSTANTIATE_TEST_SUITE_P(Zoo, GoldenMicro,
                         testing::Values(Case{"ad_autoencoder", "ad01_int8.tflite"},
                                         Case{"hello_world", "hello_world_int8.tflite"},
                                         Case{"ic_resnet8", "pretrainedResnet_quant.tflite"},
                                         Case{"kws_dscnn", "kws_ref_model.tflite"},
                                         Case{"micro_speech", "micro_speech_quantized.tflite"},
                                         Case{"mnist_lstm", "trained_lstm_int8.tflite"},
                                         Case{"person_detect", "person_detect.tflite"},
                                         Case{"sww_ds1d", "str_ww_ref_model.tflite"},
                                         Case{"vww_mobilenetv1", "vww_96_int8.tflite"}),
                         name_of);

class GoldenDesktop : public Golden {
 protected:
  /// Ten inputs, as the model stores them. They are floats, or bytes taken as real numbers.
  std::vector<Bytes> inputs(const Program& p) const {
    std::vector<Bytes> all;
    for (int i = 0; i < 10; ++i) {
      const Bytes file = read_file(path("golden_tflite/input/" + std::to_string(i) + ".bin"));
      const auto size = static_cast<size_t>(p.graph.shape(p.graph.inputs[0]).size());
      Bytes stored;
      for (size_t k = 0; k < size; ++k) {
        float real = static_cast<float>(file[k]);
        if (file.size() == size * 4) std::memcpy(&real, file.data() + k * 4, 4);
        stored.push_back(static_cast<std::byte>(stored_value(p, p.graph.inputs[0], real)));
      }
      all.push_back(std::move(stored));
    }
    return all;
  }
  /// What the interpreter gave: real numbers, which are whole multiples of the output's scale.
  Bytes outputs(const Program& p) const {
    const Quantisation& q = p.scales[static_cast<size_t>(p.graph.outputs[0])];
    Bytes all;
    for (int i = 0; i < 10; ++i) {
      const Bytes file = read_file(path("golden_tflite/output/" + std::to_string(i) + ".bin"));
      for (size_t k = 0; k + 4 <= file.size(); k += 4) {
        float real = 0;
        std::memcpy(&real, file.data() + k, 4);
        all.push_back(static_cast<std::byte>(quantise(static_cast<double>(real), q)));
      }
    }
    return all;
  }
};

TEST_P(GoldenDesktop, GivesTheBytes) {
  for (const char* target : {"host", "any", "cortex-m4"}) {
    const Program p = program(Rounding::single_rounding, target);
    expect_bytes(p, inputs(p), outputs(p));
  }
}

TEST_P(GoldenDesktop, GivesTheBytesOnCortexM4) {
  const Program p = program(Rounding::single_rounding, "cortex-m4");
  expect_bytes_on_m4(p, inputs(p), outputs(p));
}

INSTANTIATE_TEST_SUITE_P(Zoo, GoldenDesktop,
                         testing::Values(Case{"ad_autoencoder", "ad01_int8.tflite"},
                                         Case{"ic_resnet8", "pretrainedResnet_quant.tflite"},
                                         Case{"kws_aww", "aww.tflite"},
                                         Case{"vww_mobilenetv1", "vww_96_int8.tflite"}),
                         name_of);

/// How many samples are right: what the desktop interpreter as it runs by default (LiteRT 2.3.0,
/// with XNNPACK), and its reference kernels, which round twice, gave themselves.
struct Accuracy {
  const char *name, *model, *data;
  size_t single, twice;
};

TEST(TfliteAccuracy, IsTfliteOwn) {
  for (const Accuracy& c : std::vector<Accuracy>{
           {"kws", "kws_dscnn/kws_ref_model.tflite", "kws_test.npz", 453, 452},
           {"ic", "ic_resnet8/pretrainedResnet_quant.tflite", "cifar10_test.npz", 219, 221},
           {"vww", "vww_mobilenetv1/vww_96_int8.tflite", "vww_test.npz", 284, 284}}) {
    const std::string data = NNOM_SHARED_DIR "/data/" + std::string(c.data);
    if (!std::filesystem::exists(data)) GTEST_SKIP() << "the data is not here: " << data;
    const Array x = read_array(data + ":x"), labels = read_array(data + ":y");
    const bool stored = x.dtype == DType::i8, scaled = std::string(c.name) == "vww";
    for (const auto& [rounding, right] : {std::pair{Rounding::single_rounding, c.single},
                                          std::pair{Rounding::double_rounding, c.twice}}) {
      CompileOptions options;
      options.target = "host";
      options.rounding = rounding;
      const Program p = compile(load_model(kModels + c.model), {}, options);
      const Inputs inputs{
          static_cast<size_t>(labels.size()),
          [&](size_t sample, size_t, std::span<unsigned char> to) {
            for (size_t i = 0; i < to.size(); ++i) {
              const double v = x.at(static_cast<int64_t>(sample * to.size() + i));
              const auto real = static_cast<float>(scaled ? v / 255 : v);
              to[i] = static_cast<unsigned char>(stored ? static_cast<int8_t>(v)
                                                        : stored_value(p, p.graph.inputs[0], real));
            }
          }};
      const Measured run = run_on_host(p, inputs, "");
      const size_t classes = output_bytes(p, 0);
      size_t found = 0;
      for (size_t s = 0; s < inputs.count; ++s) {
        const auto* first = reinterpret_cast<const int8_t*>(run.outputs.data()) + s * classes;
        found += std::max_element(first, first + classes) - first ==
                 static_cast<long>(labels.at(static_cast<int64_t>(s)));
      }
      EXPECT_EQ(found, right) << c.name
                              << (rounding == Rounding::single_rounding ? " single" : " double");
    }
  }
}

}  // namespace
}  // namespace nnomc
