// The front end as a library, for train.py.
#include "front_end.hpp"

/// Writes the features of each of `clips` clips of `samples` samples; returns how many a clip has.
extern "C" int features(const int16_t* sound, int clips, int samples, int16_t* out) {
  static FrontEnd front_end;
  int count = 0;
  for (int i = 0; i < clips; ++i) {
    front_end.reset();
    count = 0;
    for (int taken = 0; taken < samples;) {
      taken +=
          static_cast<int>(front_end.push(sound + taken, static_cast<size_t>(samples - taken)));
      while (front_end.ready()) {
        int16_t(&frame)[FrontEnd::size] = *reinterpret_cast<int16_t(*)[FrontEnd::size]>(out);
        front_end.next(frame, kStored);
        out += FrontEnd::size, count += FrontEnd::size;
      }
    }
    sound += samples;
  }
  return count;
}
