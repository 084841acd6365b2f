// Names the clothing on a few pictures, and shows what each layer costs. Runs on any board: it
// needs the generated model, a clock and a way to print (ports/port.hpp).
#include <stddef.h>
#include <stdint.h>

#include "fashion_mnist.hpp"
#include "images.hpp"
#include "nnom/analyse.hpp"
#include "nnom/evaluate.hpp"
#include "port.hpp"

namespace {

using fashion_mnist::Graph;
using nnom::port::print;

constexpr const char* kClasses[] = {
    "T-shirt or top", "trousers", "pullover", "dress", "coat",
    "sandal",         "shirt",    "trainer",  "bag",   "ankle boot"};
constexpr size_t kCount = sizeof kClasses / sizeof *kClasses;
constexpr size_t kTop = 3;

fashion_mnist::Model model;  // holds its RAM; nothing is allocated
nnom::Evaluation<kCount, kTop> evaluation;
nnom::LayerTimes<Graph::layer_count, nnom::port::ticks> times;

static_assert(Graph::Input<0>::size == sizeof Picture::pixels, "the pictures are of another size");
static_assert(Graph::Output<0>::size == kCount, "the model tells other classes apart");

/// Stores a picture as the model wants it, without a copy as real numbers.
void load(const Picture& picture) {
  const nnom::Quantisation q = Graph::input(0).quantisation;
  const auto input = model.input();
  for (size_t i = 0; i < input.size(); ++i)
    input[i] = q.stored(static_cast<float>(picture.pixels[i]) / 255.0f);
}

/// "ankle boot: ankle boot 99 %, trainer 1 %, sandal 0 %"
void show(const Picture& picture) {
  const auto scores = model.output();
  const nnom::Quantisation q = Graph::output(0).quantisation;
  print(kClasses[picture.label]);
  print(": ");
  for (size_t rank = 0; rank < kTop; ++rank)
    for (size_t i = 0; i < kCount; ++i) {
      if (nnom::place(scores.data(), kCount, i) != rank) continue;
      nnom::TextLine line;
      line.append(rank == 0 ? "" : ", ").append(kClasses[i]).append(" ");
      line.right(static_cast<uint64_t>(q.real(scores[i]) * 100.0f + 0.5f), 1).append(" %");
      print(line.text());
    }
  print("\n");
}

}  // namespace

int main() {
  nnom::print_format<Graph>(print);
  print("\n");
  for (const Picture& picture : kPictures) {
    load(picture);
    times.start();
    model.run(times.observer, &times);
    evaluation.add(model, picture.label);
    show(picture);
  }
  nnom::TextLine line;
  line.right(evaluation.top(1), 1).append(" of ").right(evaluation.samples(), 1);
  line.append(" right, ").right(evaluation.top(kTop), 1).append(" among the best three\n\n");
  print(line.text());
  times.print(print, nnom::port::ticks_per_second());
  nnom::print_memory<Graph>(print);
  return 0;
}
