/// \file
/// Zip archives (.keras, .npz): named members, read whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct zip;

namespace nnomc {

/// An archive open for reading. Every failure is an Error that names the archive.
class Zip {
 public:
  /// Opens the archive at `path`.
  explicit Zip(const std::string& path);

  /// The members' names, in the archive's order.
  std::vector<std::string> names() const;

  bool contains(const std::string& name) const;

  /// The content of one member. Error if it is missing, damaged, encrypted, larger than
  /// `max_bytes`, or claims a size its compressed data can't have (a zip bomb).
  std::vector<std::byte> read(const std::string& name, std::uint64_t max_bytes) const;

  /// True if a file starting with `start` may be a zip archive.
  static bool is_zip(const std::vector<std::byte>& start);

 private:
  struct Discard {
    void operator()(zip* archive) const;
  };

  std::string path_;
  std::unique_ptr<zip, Discard> archive_;
};

}  // namespace nnomc
