#include "cli/new_files.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

Error cannot(std::string_view what, const fs::path& path, std::string_view why) {
  return {.code = ErrorCode::unavailable,
          .kind = "cannot_write",
          .message = fmt::format("cannot {} {}: {}", what, path.string(), why),
          .hint = {}};
}

Result<void> make_folder(const fs::path& folder) {
  constexpr mode_t mode = 0755;
  if (fs::is_directory(folder)) return {};
  if (::mkdir(folder.c_str(), mode) == 0 && ::chmod(folder.c_str(), mode) == 0) return {};
  return std::unexpected(cannot("make the folder", folder, std::strerror(errno)));
}

Result<void> write_all(const FileDescriptor& file, const fs::path& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file.fd(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return std::unexpected(cannot("write", path, std::strerror(errno)));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<void> make_folders(const fs::path& folder) {
  if (folder.has_parent_path() && !fs::exists(folder.parent_path()))
    if (auto made = make_folders(folder.parent_path()); !made) return made;
  return make_folder(folder);
}

Result<void> write_new(const fs::path& path, std::string_view text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return std::unexpected(cannot("write", path, std::strerror(errno)));
  return write_all(file, path, text);
}

Result<void> replace_file(const fs::path& named, std::string_view text) {
  std::error_code missing;
  fs::path path = fs::canonical(named, missing);
  if (missing) path = named;
  struct stat before{};
  const bool exists = ::stat(path.c_str(), &before) == 0;
  std::string draft = path.string() + ".XXXXXX";
  const FileDescriptor file(::mkostemp(draft.data(), O_CLOEXEC));
  if (!file) return std::unexpected(cannot("write beside", path, std::strerror(errno)));
  constexpr mode_t new_mode = 0644;
  auto done = write_all(file, path, text);
  if (done && (::fchmod(file.fd(), exists ? before.st_mode & 07777 : new_mode) != 0 ||
               ::fsync(file.fd()) != 0 || ::rename(draft.c_str(), path.c_str()) != 0))
    done = std::unexpected(cannot("replace", path, std::strerror(errno)));
  if (!done) ::unlink(draft.c_str());
  return done;
}

}  // namespace weir::cli
