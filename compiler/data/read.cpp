#include "compiler/data/read.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>

#include "compiler/error.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

std::string lower_extension(const fs::path& path) {
  std::string text = path.extension().string();
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

enum class Medium { none, picture, sound };
Medium medium_of(const fs::path& path) {
  constexpr std::array kPictures = {".png", ".jpg", ".jpeg", ".bmp"};
  const std::string extension = lower_extension(path);
  if (path.filename().string().starts_with('.')) return Medium::none;
  if (std::ranges::find(kPictures, extension) != kPictures.end()) return Medium::picture;
  return extension == ".wav" ? Medium::sound : Medium::none;
}

/// The pictures and sounds directly in `folder`, sorted.
std::vector<fs::path> media_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && medium_of(entry.path()) != Medium::none)
      found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

/// The samples in `folder`, one after the other.
Array read_media(const std::string& folder, const Shape& shape) {
  const MediaFolder media = list_media(folder);
  Array all;
  for (const std::string& file : media.files) {
    const Array one = media.sound ? read_sound(file, shape) : read_picture(file, shape);
    all.dtype = one.dtype;
    all.bytes.insert(all.bytes.end(), one.bytes.begin(), one.bytes.end());
  }
  all.shape = {static_cast<std::int64_t>(media.files.size())};
  for (int i = 0; i < shape.rank; ++i) all.shape.push_back(shape[i]);
  return all;
}

}  // namespace

MediaFolder list_media(const std::string& folder) {
  std::map<std::string, std::vector<fs::path>> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && !entry.path().filename().string().starts_with('.'))
      if (auto files = media_in(entry.path()); !files.empty())
        folders[entry.path().filename().string()] = std::move(files);
  std::vector<fs::path> files = media_in(folder);
  MediaFolder media;
  if (files.empty()) {
    size_t longest = 0;
    for (const auto& [name, inside] : folders) {
      media.names.push_back(name);
      longest = std::max(longest, inside.size());
    }
    for (size_t i = 0; i < longest; ++i) {
      std::uint32_t number = 0;
      for (const auto& [name, inside] : folders) {
        if (i < inside.size()) files.push_back(inside[i]), media.classes.push_back(number);
        ++number;
      }
    }
  } else if (!folders.empty()) {
    throw Error(
        "{}: holds {} and folder '{}' with more: put all files into folders, one for each class, "
        "or all into one",
        folder, files[0].filename().string(), folders.begin()->first);
  }
  if (files.empty())
    throw Error("{}: this folder holds no pictures (.png, .jpg, .jpeg, .bmp) and no sounds (.wav)",
                folder);
  media.sound = medium_of(files[0]) == Medium::sound;
  for (const fs::path& file : files) {
    if ((medium_of(file) == Medium::sound) != media.sound)
      throw Error("{}: holds both pictures and sounds, such as {} and {}", folder,
                  files[0].filename().string(), file.filename().string());
    media.files.push_back(file.string());
  }
  return media;
}

Array read_data(const std::string& spec, const Shape& shape, const Shape& file_shape) {
  if (is_directory(spec)) return read_media(spec, shape);
  if (lower_extension(spec) != ".csv") return read_array(spec);
  Array array = read_csv(spec);
  if (array.shape[1] != shape.size())
    throw Error("{}: has {} numbers a line, but a sample of the model has {} ({})", spec,
                array.shape[1], shape.size(), to_string(shape));
  array.shape.resize(1);
  for (int i = 0; i < shape.rank; ++i) array.shape.push_back(file_shape[i]);
  return array;
}

}  // namespace nnomc
