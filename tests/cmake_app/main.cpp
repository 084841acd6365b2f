// Prints the scores of a picture of one grey.
#include <stdio.h>

#include "fashion.hpp"

static fashion::Model model;

int main() {
  static float picture[fashion::Graph::Input<0>::size];
  float scores[fashion::Graph::Output<0>::size];
  for (float& pixel : picture) pixel = 0.25f;
  model.run(picture, scores);
  for (const float score : scores) printf("%.6f ", static_cast<double>(score));
  return 0;
}
