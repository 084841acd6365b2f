/// \file
/// What is said about ONNX models that can't be imported.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "compiler/error.hpp"
#include "compiler/import/onnx.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

using onnx::Attribute;
using onnx::OnnxFile;

OnnxFile cnn() { return onnx::read_onnx_file(NNOM_SOURCE_DIR "/fuzz/corpus/onnx/cnn.onnx"); }

onnx::FileNode& node(OnnxFile& file, const std::string& op_type) {
  for (onnx::FileNode& n : file.nodes)
    if (n.op_type == op_type) return n;
  throw std::runtime_error("no " + op_type);
}

void add_attribute(onnx::FileNode& to, const char* name, int64_t value) {
  Attribute a;
  a.name = name;
  a.kind = Attribute::Kind::integer;
  a.integer = value;
  to.attributes.push_back(a);
}

/// A change to a model that works, and what the message about it must hold.
struct Case {
  const char* name;
  void (*change)(OnnxFile&);
  std::vector<std::string> said;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class OnnxErrors : public testing::TestWithParam<Case> {};

TEST_P(OnnxErrors, SayWhatAndWhere) {
  OnnxFile file = cnn();
  EXPECT_NO_THROW(import_onnx(file));
  GetParam().change(file);
  try {
    import_onnx(file);
    FAIL() << "it was imported";
  } catch (const Error& error) {
    for (const std::string& text : GetParam().said)
      EXPECT_THAT(error.what(), testing::HasSubstr(text));
    EXPECT_THAT(error.what(), testing::HasSubstr("cnn.onnx: "));
  }
}

const Case kCases[] = {
    {"operators",
     [](OnnxFile& f) {
       node(f, "Relu").op_type = "com.example.Rela";
       node(f, "Softmax").op_type = "Loop";
     },
     {"2 nodes are not supported", "'Relu_2' (com.example.Rela)", "(Loop)", "Replace them"}},
    {"open_axis", [](OnnxFile& f) { f.inputs[0].dims[2] = -1; }, {"input 'x'", "axis 2 is open"}},
    {"no_shape", [](OnnxFile& f) { f.inputs[0].has_shape = false; }, {"input 'x'", "fixed shape"}},
    {"not_a_tensor",
     [](OnnxFile& f) { f.inputs[0].type = onnx::Type::none; },
     {"input 'x'", "not a tensor of numbers"}},
    {"impossible", [](OnnxFile& f) { f.inputs[0].dims[1] = 0; }, {"input 'x'", "impossible"}},
    {"huge",
     [](OnnxFile& f) {
       f.inputs[0].dims = {1, 4096, 4096, 4096};
     },
     {"input 'x'", "too large"}},
    {"batch",
     [](OnnxFile& f) { f.inputs[0].dims[0] = 400; },
     {"'Conv_0' (Conv)", "a batch of 400", "Export"}},
    {"missing",
     [](OnnxFile& f) { node(f, "Relu").inputs[0] = "nowhere"; },
     {"'Relu_2' (Relu)", "'nowhere'"}},
    {"missing_input", [](OnnxFile& f) { node(f, "Gemm").inputs.resize(1); }, {"(Gemm)", "input 1"}},
    {"no_output", [](OnnxFile& f) { f.outputs[0].name = "nowhere"; }, {"output 'nowhere'"}},
    {"unknown_option",
     [](OnnxFile& f) { add_attribute(node(f, "MaxPool"), "magic", 0); },
     {"(MaxPool)", "attribute 'magic'"}},
    {"type_of_option",
     [](OnnxFile& f) { node(f, "MaxPool").attributes[0].kind = Attribute::Kind::text; },
     {"(MaxPool)", "of another type"}},
    {"weights",
     [](OnnxFile& f) { f.inputs[0].dims[1] = 2; },
     {"'Conv_0' (Conv)", "[4, 3, 3, 3]", "2 channels"}},
    {"diverged",
     [](OnnxFile& f) { f.constants[0].value.data[5] = std::numeric_limits<double>::infinity(); },
     {"not a finite number"}},
    {"computed_weights",
     [](OnnxFile& f) { node(f, "Conv").inputs[1] = "x"; },
     {"'Conv_0' (Conv)", "should be a constant"}},
    {"integers",
     [](OnnxFile& f) { f.inputs[0].type = onnx::Type::u8; },
     {"'Conv_0' (Conv)", "integers"}},
    {"constant_output",
     [](OnnxFile& f) {
       f.nodes.push_back({"s", "Shape", {"x"}, {"shape"}, {}});
       f.outputs[0].name = "shape";
     },
     {"'shape'", "always the same"}},
};

INSTANTIATE_TEST_SUITE_P(Cases, OnnxErrors, testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

/// The same for models of the corpus that are quantised.
struct QuantisedCase {
  const char *name, *model;
  void (*change)(OnnxFile&);
  std::vector<std::string> said;
};

void PrintTo(const QuantisedCase& c, std::ostream* out) { *out << c.name; }

onnx::Constant& input(OnnxFile& file, const std::string& op_type, size_t i) {
  const std::string& name = node(file, op_type).inputs.at(i);
  for (onnx::NamedConstant& c : file.constants)
    if (c.name == name) return c.value;
  throw std::runtime_error("no " + name);
}

class OnnxQuantisedErrors : public testing::TestWithParam<QuantisedCase> {};

TEST_P(OnnxQuantisedErrors, SayWhatAndWhere) {
  OnnxFile file = onnx::read_onnx_file(std::string(NNOM_SOURCE_DIR "/fuzz/corpus/onnx/") +
                                       GetParam().model + ".onnx");
  EXPECT_TRUE(import_onnx(file).quantised());
  GetParam().change(file);
  try {
    import_onnx(file);
    FAIL() << "it was imported";
  } catch (const Error& error) {
    for (const std::string& text : GetParam().said)
      EXPECT_THAT(error.what(), testing::HasSubstr(text));
  }
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

const QuantisedCase kQuantisedCases[] = {
    {"scale_0",
     "q_conv_i8",
     [](OnnxFile& f) { input(f, "QuantizeLinear", 1).data = {0}; },
     {"'QuantizeLinear_0' (QuantizeLinear)", "scale is 0"}},
    {"scale_negative",
     "q_conv_i8",
     [](OnnxFile& f) { input(f, "QuantizeLinear", 1).data = {-1}; },
     {"'QuantizeLinear_0' (QuantizeLinear)", "scale is -1"}},
    {"scale_nan",
     "q_conv_i8",
     [](OnnxFile& f) { input(f, "DequantizeLinear", 1).data = {kNaN}; },
     {"(DequantizeLinear)", "scale is nan"}},
    {"no_scale",
     "q_conv_i8",
     [](OnnxFile& f) { node(f, "QuantizeLinear").inputs.resize(1); },
     {"(QuantizeLinear)", "input 1 is missing"}},
    {"empty_scale",
     "q_conv_i8",
     [](OnnxFile& f) {
       for (const size_t i : {1U, 2U}) input(f, "QuantizeLinear", i) = {onnx::Type::f32, {0}, {}};
     },
     {"(QuantizeLinear)"}},
    {"computed_scale",
     "q_conv_i8",
     [](OnnxFile& f) { node(f, "QuantizeLinear").inputs[1] = "x0"; },
     {"(QuantizeLinear)", "input 1 ('x0')", "should be a constant"}},
    {"other_zeros",
     "q_conv_i8",
     [](OnnxFile& f) {
       input(f, "QuantizeLinear", 2) = {onnx::Type::i8, {2}, {0, 0}};
     },
     {"(QuantizeLinear)", "1 scales and 2 zero points"}},
    {"other_length",
     "q_conv_channel_i8",
     [](OnnxFile& f) {
       for (onnx::FileNode& n : f.nodes)
         if (n.inputs.size() == 3 && n.op_type == "DequantizeLinear" && !n.attributes.empty())
           for (onnx::Attribute& a : n.attributes) a.integer = 1;
     },
     {"(DequantizeLinear)", "scales of shape [7] for axis 1 of [7, 5, 3, 2]"}},
    {"axis",
     "q_conv_channel_i8",
     [](OnnxFile& f) {
       for (onnx::FileNode& n : f.nodes)
         for (onnx::Attribute& a : n.attributes)
           if (a.name == "axis") a.integer = 9;
     },
     {"(DequantizeLinear)", "axis 9"}},
    {"zero_outside",
     "q_conv_i8",
     [](OnnxFile& f) { input(f, "QuantizeLinear", 2).data = {300}; },
     {"(QuantizeLinear)", "zero point is 300"}},
    {"type",
     "q_conv_i8",
     [](OnnxFile& f) { input(f, "QuantizeLinear", 2).type = onnx::Type::u64; },
     {"(QuantizeLinear)", "numbers of type 13"}},
    {"blocks",
     "q_conv_i8",
     [](OnnxFile& f) { add_attribute(node(f, "QuantizeLinear"), "block_size", 4); },
     {"(QuantizeLinear)", "blocks"}},
    {"few_inputs",
     "q_op_add",
     [](OnnxFile& f) { node(f, "com.microsoft.QLinearAdd").inputs.resize(5); },
     {"(com.microsoft.QLinearAdd)", "input 6 is missing"}},
    {"weight_scales",
     "q_op_matmul",
     [](OnnxFile& f) {
       input(f, "QLinearMatMul", 4) = {onnx::Type::f32, {3}, {1, 1, 1}};
       input(f, "QLinearMatMul", 5) = {onnx::Type::i8, {3}, {0, 0, 0}};
     },
     {"(QLinearMatMul)", "scales of shape [3]"}},
    {"nhwc",
     "q_op_average_pool",
     [](OnnxFile& f) {
       add_attribute(node(f, "com.microsoft.QLinearAveragePool"), "channels_last", 1);
     },
     {"(com.microsoft.QLinearAveragePool)", "'channels_last'"}},
    {"bias",
     "q_residual_qop_u8i8",
     [](OnnxFile& f) {
       input(f, "QLinearConv", 8) = {onnx::Type::i32, {2}, {1, 2}};
     },
     {"(QLinearConv)", "biases of shape [2] don't fit 6 scales"}},
    {"dynamic",
     "q_conv_i8",
     [](OnnxFile& f) { node(f, "QuantizeLinear").op_type = "DynamicQuantizeLinear"; },
     {"a node is not supported", "(DynamicQuantizeLinear)"}},
};

INSTANTIATE_TEST_SUITE_P(Cases, OnnxQuantisedErrors, testing::ValuesIn(kQuantisedCases),
                         [](const auto& one) { return std::string(one.param.name); });

/// The input may be of integers if it is made real first.
TEST(OnnxInput, MayBeOfIntegers) {
  OnnxFile file = cnn();
  Attribute to;
  to.name = "to";
  to.kind = Attribute::Kind::integer;
  to.integer = 1;
  file.inputs[0].type = onnx::Type::u8;
  node(file, "Conv").inputs[0] = "real";
  file.nodes.insert(file.nodes.begin(), {"cast", "Cast", {"x"}, {"real"}, {to}});
  EXPECT_EQ(import_onnx(file).shape(0), (Shape{3, {9, 8, 3}}));
}

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(OnnxFiles, ThatAreNoneAreRefused) {
  for (const std::string_view text : {std::string_view("hello"), std::string_view("\x08\x08", 2),
                                      std::string_view("", 0), std::string_view("\x3a\x7f", 2)}) {
    try {
      onnx::parse_onnx("none.onnx", bytes(text));
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("none.onnx: is not an ONNX"));
    }
  }
}

/// {ir_version 8, graph {node {op_type "Relu"}}, opset_import {version 99}}
TEST(OnnxFiles, OfNewerOperatorSetsAreRefused) {
  const std::string_view text("\x08\x08\x3a\x08\x0a\x06\x22\x04Relu\x42\x02\x10\x63", 16);
  try {
    onnx::parse_onnx("new.onnx", bytes(text));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("operator set 99"));
  }
}

}  // namespace
}  // namespace nnomc
