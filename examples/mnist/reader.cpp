#include "reader.hpp"

#include "digits.hpp"
#include "mnist.hpp"
#include "nnom/evaluate.hpp"
#include "port.hpp"

namespace reader {
namespace {

mnist::Model model;  // holds its RAM; nothing is allocated
nnom::LayerTimes<mnist::Graph::layer_count, nnom::port::ticks> times;

static_assert(mnist::Graph::Input<0>::size == 784, "the model wants pictures of another size");
static_assert(mnist::Graph::Output<0>::size == 10, "the model tells other classes apart");

}  // namespace

void draw(const uint8_t (&pixels)[784]) {
  for (unsigned y = 0; y < 28; y += 2) {
    char line[30] = "";
    for (unsigned x = 0; x < 28; ++x)
      line[x] = " .:*#"[(pixels[28 * y + x] + pixels[28 * y + 28 + x]) / 103];
    line[28] = '\n';
    nnom::port::print(line);
  }
}

Answer read(const uint8_t (&pixels)[784]) {
  const nnom::Quantisation in = mnist::Graph::input(0).quantisation;
  for (unsigned i = 0; i < 784; ++i)
    model.input()[i] = in.stored(static_cast<float>(pixels[i]) / 255.0f);
  model.run();
  const nnom::Quantisation out = mnist::Graph::output(0).quantisation;
  const auto digit = static_cast<unsigned>(nnom::best(model.output().data(), 10));
  return {digit, static_cast<unsigned>(out.real(model.output()[digit]) * 100.0f + 0.5f)};
}

bool show(unsigned digit) {
  const Answer answer = read(kDigits[digit]);
  nnom::TextLine line;
  line.append("a ").right(digit, 1).append(": ").right(answer.digit, 1);
  line.append(", ").right(answer.percent, 1).append(" %\n");
  nnom::port::print(line.text());
  return answer.digit == digit;
}

void time(unsigned runs) {
  times.clear();
  for (unsigned i = 0; i < runs; ++i) {
    times.start();
    model.run(times.observer, &times);
  }
  times.print(nnom::port::print, nnom::port::ticks_per_second());
}

}  // namespace reader
