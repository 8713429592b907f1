#include "plugin/folder_snapshot.hpp"

#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file_descriptor.hpp"
#include "plugin/plugin_folder.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FileIdentity> identity_of(const fs::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity{.device = status.st_dev,
                      .inode = status.st_ino,
                      .mode = status.st_mode,
                      .bytes = static_cast<std::uint64_t>(status.st_size),
                      .modified_ns = nanoseconds(status.st_mtim),
                      .changed_ns = nanoseconds(status.st_ctim)};
}

std::expected<FolderSnapshot, PluginError> snapshot_of(const fs::path& folder) {
  auto paths = discover(folder);
  if (!paths) return std::unexpected(std::move(paths.error()));
  FolderSnapshot snapshot;
  for (fs::path& path : *paths)
    if (const auto identity = identity_of(path))  // else it was removed just now
      snapshot.emplace_hint(snapshot.end(), std::move(path), *identity);
  return snapshot;
}

bool is_being_written(const fs::path& path) {
  const auto identity = identity_of(path);
  if (!identity || !S_ISREG(identity->mode)) return false;
  const FileDescriptor file(
      ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return false;
  // A read lease is refused while there are writers. A writer that opens the file before the lease
  // is given back waits for that, and this process gets a signal: SIGURG, which is ignored by
  // default, and not the usual SIGIO.
  if (::fcntl(file.fd(), F_SETSIG, SIGURG) != 0) return false;
  if (::fcntl(file.fd(), F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN;
  ::fcntl(file.fd(), F_SETLEASE, F_UNLCK);
  return false;
}

}  // namespace weir
