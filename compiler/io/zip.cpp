#include "compiler/io/zip.hpp"

#include <zip.h>

#include "compiler/error.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

struct CloseMember {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

/// The largest size that `compressed` bytes can unpack to: deflate makes 258 bytes of 2 bits.
constexpr std::uint64_t largest_unpacked(std::uint64_t compressed) {
  return compressed < UINT64_MAX / 2048 ? compressed * 1040 + 1024 : UINT64_MAX;
}

}  // namespace

void Zip::Discard::operator()(zip* archive) const { zip_discard(archive); }

bool Zip::is_zip(const std::vector<std::byte>& start) {
  const std::string_view magic = as_text(start).substr(0, 4);
  return magic == "PK\x03\x04" || magic == "PK\x05\x06";
}

Zip::Zip(const std::string& path) : path_(path) {
  int code = 0;
  archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive_) return;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string why = zip_error_strerror(&error);
  zip_error_fini(&error);
  throw Error("{}: can't be opened as a zip archive: {}", path, why);
}

std::vector<std::string> Zip::names() const {
  std::vector<std::string> result;
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
    if (name != nullptr) result.emplace_back(name);
  }
  return result;
}

bool Zip::contains(const std::string& name) const {
  return zip_name_locate(archive_.get(), name.c_str(), 0) >= 0;
}

std::vector<std::byte> Zip::read(const std::string& name, std::uint64_t max_bytes) const {
  const zip_int64_t found = zip_name_locate(archive_.get(), name.c_str(), 0);
  if (found < 0) throw Error("{}: has no member '{}'", path_, name);
  const auto index = static_cast<zip_uint64_t>(found);

  zip_stat_t status;
  zip_stat_init(&status);
  constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if (zip_stat_index(archive_.get(), index, 0, &status) != 0 ||
      (status.valid & kNeeded) != kNeeded) {
    throw Error("{}: member '{}' is damaged: {}", path_, name, zip_strerror(archive_.get()));
  }
  if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE) {
    throw Error("{}: member '{}' is packed with method {}; zip it again with deflate", path_, name,
                status.comp_method);
  }
  if (status.size > max_bytes) {
    throw Error("{}: member '{}' is too large ({} bytes, {} at most)", path_, name, status.size,
                max_bytes);
  }
  if (status.size > largest_unpacked(status.comp_size)) {
    throw Error("{}: member '{}' is damaged: {} bytes can't unpack to {}", path_, name,
                status.comp_size, status.size);
  }
  const std::unique_ptr<zip_file_t, CloseMember> file(zip_fopen_index(archive_.get(), index, 0));
  if (!file)
    throw Error("{}: member '{}' can't be read: {}", path_, name, zip_strerror(archive_.get()));

  // One byte more than announced: reaching the end is what makes libzip compare the checksum.
  std::vector<std::byte> bytes(status.size + 1);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const zip_int64_t got = zip_fread(file.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0) {
      throw Error("{}: member '{}' is damaged: {}", path_, name, zip_file_strerror(file.get()));
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  if (done != status.size)
    throw Error("{}: member '{}' is damaged: its size isn't the one announced", path_, name);
  bytes.pop_back();
  return bytes;
}

}  // namespace nnomc
