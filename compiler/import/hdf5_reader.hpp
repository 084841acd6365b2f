/// \file
/// The part of the HDF5 import that calls libhdf5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "compiler/import/hdf5_message.hpp"

namespace nnomc {

/// Which of Keras's two HDF5 layouts a file has.
enum class Hdf5Kind {
  model,    ///< an .h5 file: configuration and weights
  weights,  ///< the model.weights.h5 in a .keras archive
};

/// Reads the HDF5 file whose content is `image` and writes what Keras keeps in it to `out`, but for
/// its end(). Error if it isn't such a file, or holds more than `max_bytes` of weights. On damaged
/// files libhdf5 crashes or hangs: call this only in a process made for it (hdf5_child.hpp).
void read_hdf5_here(std::span<std::byte> image, Hdf5Kind kind, std::uint64_t max_bytes,
                    Hdf5MessageWriter& out);

}  // namespace nnomc
