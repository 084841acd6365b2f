/// \file
/// What samples may be given as: arrays, tables of numbers, folders of pictures or of sounds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/io/array.hpp"

namespace nnomc {

/// Reads samples of `shape` (channels last; `file_shape` in the model file's order of axes) from
///
/// - "x.npy", "x.npz", "x.npz:key";
/// - "x.csv": a sample a line, in the file's order of axes;
/// - a folder of .png, .jpg, .jpeg or .bmp: uint8, resized to `shape` where they have another size;
/// - a folder of .wav: -1 to 1, cut or filled up with zeros to the length of `shape`.
///
/// Throws an Error that names the file that can't be read or doesn't fit.
Array read_data(const std::string& spec, const Shape& shape, const Shape& file_shape);

/// A table of numbers as an array of lines x columns, float32. Commas, semicolons or tabs separate
/// them; a first line that holds other words is a heading. Error that names the line otherwise.
Array read_csv(const std::string& path);

/// The pictures or sounds in a folder, sorted by name. Where it has folders, each of them is a
/// class, numbered by name, and the classes take turns, so that the first few samples hold all.
struct MediaFolder {
  bool sound = false;
  std::vector<std::string> files;
  std::vector<std::uint32_t> classes;  ///< of each file; empty if there are no folders
  std::vector<std::string> names;      ///< of the classes
};

/// Lists `folder`; other files in it don't matter. Error if it holds neither pictures nor sounds,
/// or both, or if files lie both beside and inside its folders.
MediaFolder list_media(const std::string& folder);

/// A picture as height x width x channels (1 or 3), uint8, resized as tf.image.resize does
/// (bilinear, centres of pixels at halves). Error if it can't be read.
Array read_picture(const std::string& path, const Shape& shape);

/// A sound as frames x channels in -1 to 1, float32, cut or filled up to shape's frames. Error if
/// it can't be read or has another number of channels.
Array read_sound(const std::string& path, const Shape& shape);

}  // namespace nnomc
