// Runs test images from flash, and prints how many were recognised, what was taken for what, and
// how long it took. Runs on any board: it needs the generated model, the images as `nnom testset`
// writes them, a clock and a way to print (ports/port.hpp).
#include "fashion_mnist.hpp"
#include "nnom/test_run.hpp"
#include "nnom/testset.hpp"
#include "port.hpp"
#include "test_images.hpp"

namespace {

using nnom::port::print;

fashion_mnist::Model model;                 // holds its RAM; nothing is allocated
nnom::TestRun<10, nnom::port::ticks> test;  // ten classes, top-1 to top-3
nnom::MemoryReader images = {test_images, sizeof test_images};

}  // namespace

int main() {
  nnom::TestSet set(nnom::MemoryReader::read, &images);
  const nnom::TestSet::Error error = set.run(model, test);
  test.print(print, nnom::port::ticks_per_second());
  if (error == nnom::TestSet::Error::none) return 0;
  print(nnom::TestSet::text(error));
  print("\n");
  return 1;
}
