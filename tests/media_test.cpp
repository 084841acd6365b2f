// Samples as tables of numbers, pictures and sounds: compiler/data/read.hpp, against what
// TensorFlow and Pillow make of the same files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "compiler/data/check.hpp"
#include "compiler/data/labels.hpp"
#include "compiler/data/read.hpp"
#include "compiler/error.hpp"
#include "tests/damage.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kMedia = NNOM_SOURCE_DIR "/tests/fixtures/media/";

std::vector<float> values(const Array& array) {
  std::vector<float> v(static_cast<size_t>(array.size()));
  array.read(0, v);
  return v;
}

void expect_near(const Array& got, const Array& want, float most) {
  ASSERT_EQ(got.size(), want.size());
  const std::vector<float> a = values(got), b = values(want);
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], most) << i;
}

TEST(Pictures, AsOthersReadThem) {
  struct Case {
    const char *file, *key;
    Shape shape;
    float most;  // difference
  };
  for (const Case& c : {
           Case{"rgb.png", "png", {3, {12, 17, 3}}, 0},
           Case{"rgb.bmp", "bmp", {3, {12, 17, 3}}, 0},
           Case{"rgb.jpg", "jpg", {3, {12, 17, 3}}, 3},
           Case{"rgb.png", "small", {3, {5, 9, 3}}, 1},
           Case{"rgb.png", "large", {3, {20, 30, 3}}, 1},
           Case{"grey.png", "grey", {3, {12, 17, 1}}, 0},
           Case{"grey.png", "grey", {2, {12, 17}}, 0},
           Case{"rgb.png", "grey", {3, {12, 17, 1}}, 2},
       }) {
    SCOPED_TRACE(std::string(c.file) + " " + c.key);
    expect_near(read_picture(kMedia + c.file, c.shape),
                read_array(kMedia + "expected.npz:" + c.key), c.most);
  }
}

TEST(Sounds, AsTensorFlowReadsThem) {
  const std::vector<float> whole = values(read_array(kMedia + "expected.npz:wav"));
  for (const int length : {50, 20, 64}) {
    SCOPED_TRACE(length);
    std::vector<float> want = whole;
    want.resize(static_cast<size_t>(length));
    EXPECT_EQ(values(read_sound(kMedia + "tone.wav", {1, {length}})), want);
    EXPECT_EQ(values(read_sound(kMedia + "tone.wav", {2, {length, 1}})), want);
  }
}

TEST(Csv, WaysToWriteThem) {
  const TempFolder folder;
  for (const char* text : {
           "1,2.5,-3\n4,5,6e1\n",
           "1;2.5;-3\r\n4;5;60\r\n",
           "1\t2.5\t-3\n4\t5\t60",
           "a,b,c\n1,2.5,-3\n4,5,60\n\n",
           "\xEF\xBB\xBF"
           "1, 2.5, -3\n+4, \"5\", 60\n",
       }) {
    SCOPED_TRACE(text);
    std::ofstream(folder / "x.csv") << text;
    const Array array = read_csv(folder / "x.csv");
    EXPECT_THAT(array.shape, ElementsAre(2, 3));
    EXPECT_THAT(values(array), ElementsAre(1, 2.5f, -3, 4, 5, 60));
  }
}

TEST(Csv, RefusesWhatIsNoTable) {
  const TempFolder folder;
  struct Case {
    const char *text, *message;
  };
  for (const Case& c : {
           Case{"", "holds no numbers"},
           Case{"a,b\n", "holds no numbers"},
           Case{"1,2\n3,x\n", "line 2, column 2: 'x' is no number"},
           Case{"1,2\n3\n", "line 2 has 1 numbers, those before it have 2"},
           Case{"1,2\n3,\n", "line 2, column 2: '' is no number"},
           Case{"1,2,3\n", "has 3 numbers a line, but a sample of the model has 4 (2 x 2)"},
       }) {
    std::ofstream(folder / "x.csv") << c.text;
    const Shape shape{2, {2, 2}};
    EXPECT_THAT(error_of([&] { read_data(folder / "x.csv", shape, shape); }), HasSubstr(c.message));
  }
}

/// Folders of pictures, each of one grey.
void fill(const std::string& folder, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    fs::create_directories(fs::path(folder + "/" + file).parent_path());
    fs::copy(kMedia + (file.ends_with(".wav") ? "tone.wav" : "grey.png"), folder + "/" + file);
  }
}

TEST(Folders, ClassesTakeTurns) {
  const TempFolder folder;
  fill(folder / "x", {"cat/b.png", "cat/a.PNG", "dog/z.png", "ant/m.png", "ant/.hidden.png"});
  std::ofstream(folder / "x/notes.txt") << "not a picture";
  const MediaFolder media = list_media(folder / "x");
  EXPECT_THAT(media.names, ElementsAre("ant", "cat", "dog"));
  EXPECT_THAT(media.classes, ElementsAre(0, 1, 2, 1));
  std::vector<std::string> names;
  for (const std::string& file : media.files) names.push_back(fs::path(file).filename());
  EXPECT_THAT(names, ElementsAre("m.png", "a.PNG", "z.png", "b.png"));

  const Shape shape{3, {6, 5, 1}};
  const Array array = read_data(folder / "x", shape, shape);
  EXPECT_THAT(array.shape, ElementsAre(4, 6, 5, 1));
  EXPECT_EQ(array.dtype, DType::u8);
  EXPECT_THAT(read_classes(folder / "x", 3, 4), ElementsAre(0, 1, 2, 1));
}

TEST(Folders, RefuseWhatIsNoSetOfSamples) {
  struct Case {
    std::vector<std::string> files;
    Shape shape;
    const char* message;
  };
  for (const Case& c : {
           Case{{}, {2, {4, 4}}, "holds no pictures"},
           Case{{"a.png", "b.wav"},
                {2, {4, 4}},
                "both pictures and sounds, such as a.png and b.wav"},
           Case{{"a.png", "cat/b.png"}, {2, {4, 4}}, "holds a.png and folder 'cat' with more"},
           Case{{"a.png"}, {1, {16}}, "the model's input is 16, which is no picture"},
           Case{{"a.png"}, {3, {4, 4, 2}}, "which is no picture"},
           Case{{"a.wav"}, {2, {50, 2}}, "has 1 channel, but the model's input is 50 x 2"},
           Case{{"a.wav"}, {3, {4, 4, 1}}, "which is no sound"},
       }) {
    const TempFolder folder;
    fs::create_directory(folder / "x");
    fill(folder / "x", c.files);
    EXPECT_THAT(error_of([&] { read_data(folder / "x", c.shape, c.shape); }), HasSubstr(c.message));
  }
  const TempFolder folder;
  fill(folder / "x", {"a.png"});
  EXPECT_THAT(error_of([&] { read_classes(folder / "x", 3, 1); }), HasSubstr("lie in no folders"));
  for (const char* file : {"x/bad.png", "x/bad.wav"}) {
    std::ofstream(folder / file) << "neither";
    const Shape shape = file[6] == 'p' ? Shape{2, {4, 4}} : Shape{1, {9}};
    EXPECT_THAT(error_of([&] {
                  file[6] == 'p' ? read_picture(folder / file, shape)
                                 : read_sound(folder / file, shape);
                }),
                HasSubstr("can't be read as a "));
  }
}

/// A model whose first layer is dense with weights of one size.
Graph dense(float weight, std::optional<Quantisation> quantisation = {}) {
  Graph graph;
  const int in = graph.add_input("x", {1, {10}});
  graph.tensors[static_cast<size_t>(in)].quantisation = quantisation;
  const int flat = graph.add({"flat", "Flatten", nnom::Reshape{Shape{1, {10}}}, {in}, -1});
  Node node{"dense", "Dense", nnom::Dense{10, 4}, {flat}, -1};
  node.weights.assign(40, weight), node.bias.assign(4, 0);
  graph.outputs = {graph.add(std::move(node))};
  return graph;
}

TEST(Doubts, AskWhereTheScaleLooksWrong) {
  struct Case {
    const char* what;
    float weight, lo, hi;
    const char* question;  // nullptr: none
  };
  for (const Case& c : {
           Case{"trained on 0..1, given so", 0.3f, 0, 1, nullptr},
           Case{"trained on 0..1, given 0..255", 0.3f, 0, 255, "--scale 1/255"},
           Case{"scales itself, given 0..255", 0.3f / 255, 0, 255, nullptr},
           Case{"scales itself, given 0..1", 0.3f / 255, 0, 1, "leave out --scale"},
           Case{"features that are no pixels", 0.3f, -200.5f, 200.25f, nullptr},
       }) {
    SCOPED_TRACE(c.what);
    const TempFolder folder;
    std::ofstream csv(folder / "x.csv");
    for (int i = 0; i < 20; ++i)
      for (int k = 0; k < 10; ++k)
        csv << (k == 0   ? c.lo
                : k == 1 ? c.hi
                         : (c.lo + c.hi) / 2 - (c.hi == 255 ? 0.5f : 0))
            << (k == 9 ? "\n" : ",");
    csv.close();
    const Graph graph = dense(c.weight);
    const std::vector<std::string> asked = doubts(graph, Samples(graph, {folder / "x.csv"}, {}));
    if (c.question) {
      EXPECT_THAT(asked, ElementsAre(HasSubstr(c.question)));
    } else {
      EXPECT_THAT(asked, testing::IsEmpty());
    }
  }
}

TEST(Doubts, AskWhereAQuantisedInputDoesNotFit) {
  for (const auto& [scale, fine] : {std::pair{1.0 / 255, true}, {1.0, false}, {0.0001, false}}) {
    const Graph graph = dense(0.3f, Quantisation{scale, -128});
    EXPECT_EQ(doubts(graph, Samples::synthetic(graph, 20)).empty(), fine) << scale;
  }
}

}  // namespace
}  // namespace nnomc
