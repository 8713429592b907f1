#include "page_file.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.hpp"

namespace article {
namespace {

namespace fs = std::filesystem;

constexpr auto leftover_age = std::chrono::hours(1);

std::string copies_prefix(const std::string& name) { return "." + name + "."; }

[[noreturn]] void fail(int error, const fs::path& path) {
  throw std::system_error(error, std::generic_category(), "cannot write " + path.string());
}

/// Writes a file that must not exist yet, and waits until the disk has it.
void write_durably(const fs::path& path, std::string_view text) {
  const File file(std::fopen(path.c_str(), "wxe"));
  if (!file) fail(errno, path);
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                       std::fflush(file.get()) == 0 && ::fsync(::fileno(file.get())) == 0;
  if (written) return;
  const int error = errno;
  ::unlink(path.c_str());
  fail(error, path);
}

/// Makes the new name outlive a power failure.
void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(errno, folder);
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (error != 0) fail(error, folder);
}

void remove_leftovers(const fs::path& folder, const std::string& name) {
  const auto limit = fs::file_time_type::clock::now() - leftover_age;
  std::error_code ignored;  // the next page retries
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    if (!entry->path().filename().string().starts_with(copies_prefix(name))) continue;
    std::error_code gone;
    const auto written = entry->last_write_time(gone);
    if (!gone && written < limit) fs::remove(entry->path(), gone);
  }
}

}  // namespace

void write_page(const fs::path& folder, const std::string& name, std::string_view page) {
  std::random_device random;
  const fs::path target = folder / name;
  const fs::path copy =
      folder / (copies_prefix(name) + std::to_string(random()) + "-" + std::to_string(random()));
  write_durably(copy, page);
  if (std::rename(copy.c_str(), target.c_str()) != 0) {
    const int error = errno;
    ::unlink(copy.c_str());
    fail(error, target);
  }
  sync_folder(folder);
  remove_leftovers(folder, name);
}

std::expected<void, std::string> make_folder(const fs::path& folder) {
  const auto refused = [&](int error) -> std::expected<void, std::string> {
    const std::error_code why(error, std::generic_category());
    if (error == ENOSPC || error == EIO || error == EMFILE || error == ENFILE || error == ENOMEM) {
      throw std::system_error(why, folder.string());
    }
    return std::unexpected("output_folder " + folder.string() +
                           " is no folder to write to: " + why.message() +
                           (error == ENOENT ? " (the folder above it must exist)" : ""));
  };
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return refused(errno);
  std::error_code error;
  if (!fs::is_directory(folder, error)) return refused(error ? error.value() : ENOTDIR);
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) return refused(errno);
  return {};
}

}  // namespace article
