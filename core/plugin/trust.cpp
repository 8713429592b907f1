#include "plugin/trust.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <list>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"
#include "base/in_quotes.hpp"
#include "base/sha256.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

std::unexpected<PluginError> refuse(PluginFault kind, std::string detail, std::string_view hint) {
  return refusal(PluginStage::verify, kind, std::move(detail), hint);
}

std::unexpected<PluginError> refuse_errno(int error, const fs::path& at) {
  if (error == ENOENT)
    return refuse(PluginFault::not_found, fmt::format("there is no {}", in_quotes(at.native())),
                  "check the path");
  return refuse(PluginFault::unreadable,
                fmt::format("{} can't be opened: {}", in_quotes(at.native()),
                            std::generic_category().message(error)),
                "let the user Weir runs as read it");
}

std::unexpected<PluginError> refuse_kind(mode_t mode, const std::string& link_target) {
  constexpr std::string_view hint =
      "a plugin is a file of its own: copy the library itself into the folder";
  switch (mode & S_IFMT) {
    case S_IFLNK:
      return refuse(PluginFault::not_regular,
                    fmt::format("a symbolic link to {}", in_quotes(link_target)), hint);
    case S_IFDIR:
      return refuse(PluginFault::not_regular, "a folder, not a file", hint);
    case S_IFIFO:
      return refuse(PluginFault::not_regular, "a FIFO, not a file", hint);
    case S_IFSOCK:
      return refuse(PluginFault::not_regular, "a socket, not a file", hint);
    default:
      return refuse(PluginFault::not_regular, "a device, not a file", hint);
  }
}

std::expected<void, PluginError> check_owner_and_mode(const struct stat& status,
                                                      const fs::path& at) {
  const uid_t self = ::geteuid();
  if (status.st_uid != 0 && status.st_uid != self)
    return refuse(
        PluginFault::untrusted_path,
        fmt::format("{} belongs to user {}, who is neither root nor the user Weir runs as ({})",
                    in_quotes(at.native()), status.st_uid, self),
        fmt::format("chown it to user {} or to root", self));
  const bool sticky_folder = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky_folder)
    return refuse(PluginFault::untrusted_path,
                  fmt::format("{} can be written by {} (mode {:04o})", in_quotes(at.native()),
                              (status.st_mode & S_IWOTH) != 0 ? "everybody" : "its group",
                              status.st_mode & 07777U),
                  fmt::format("chmod go-w {}", at.native()));
  return {};
}

std::string link_target(int folder, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(folder, name.c_str(), target.data(), target.size());
  return {target.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
}

// Goes down from the root one name at a time, each relative to a folder already open and checked,
// so that nobody can put something else in the way meanwhile. Links among the folders are followed
// by hand: the folders they stand in and those they lead through are checked like all others.
class Walk {
 public:
  explicit Walk(const fs::path& path) {
    std::error_code no_current_folder;
    for (const fs::path& name : fs::absolute(path, no_current_folder).relative_path())
      if (!name.empty()) names_.push_back(name.string());
  }

  std::expected<FileDescriptor, PluginError> open_file() {
    if (auto entered = enter_root(); !entered) return std::unexpected(entered.error());
    while (names_.size() > 1) {
      const std::string name = std::move(names_.front());
      names_.pop_front();
      if (auto entered = enter(name); !entered) return std::unexpected(entered.error());
    }
    if (names_.empty()) return refuse_kind(S_IFDIR, {});
    return open_last(names_.front());
  }

 private:
  std::expected<void, PluginError> enter_root() {
    folder_ = FileDescriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    at_ = "/";
    return check_folder();
  }

  std::expected<void, PluginError> check_folder() const {
    struct stat status{};
    if (::fstat(folder_.fd(), &status) != 0) return refuse_errno(errno, at_);
    return check_owner_and_mode(status, at_);
  }

  std::expected<void, PluginError> enter(const std::string& name) {
    const fs::path next = at_ / name;
    FileDescriptor opened(
        ::openat(folder_.fd(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (opened) {
      folder_ = std::move(opened);
      at_ = next.lexically_normal();
      return check_folder();
    }
    const int error = errno;
    const fs::path target = link_target(folder_.fd(), name);
    if (target.empty()) return refuse_errno(error, next);
    constexpr int links_max = 40;  // as the kernel allows
    if (++links_ > links_max) return refuse_errno(ELOOP, next);
    const fs::path rest = target.relative_path();
    names_.insert(names_.begin(), rest.begin(), rest.end());
    if (target.is_absolute()) return enter_root();
    return {};
  }

  std::expected<FileDescriptor, PluginError> open_last(const std::string& name) const {
    const fs::path file = at_ / name;
    struct stat status{};
    // Looked at before it is opened: opening a device may already do something.
    if (::fstatat(folder_.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      return refuse_errno(errno, file);
    if (!S_ISREG(status.st_mode))
      return refuse_kind(status.st_mode, link_target(folder_.fd(), name));
    FileDescriptor opened(::openat(folder_.fd(), name.c_str(),
                                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!opened || ::fstat(opened.fd(), &status) != 0) return refuse_errno(errno, file);
    if (!S_ISREG(status.st_mode)) return refuse_kind(status.st_mode, {});
    if (auto trusted = check_owner_and_mode(status, file); !trusted)
      return std::unexpected(trusted.error());
    return opened;
  }

  std::list<std::string> names_;  // still to go
  FileDescriptor folder_;
  fs::path at_;
  int links_ = 0;
};

// Reads until the end that the file has when it is reached: it may grow meanwhile.
std::expected<std::string, PluginError> read_all(int fd, const fs::path& path,
                                                 std::size_t bytes_max) {
  const auto too_big = [&] {
    return refuse(PluginFault::too_big, fmt::format("larger than {} bytes", bytes_max),
                  "strip it, or build it without debug information");
  };
  struct stat status{};
  if (::fstat(fd, &status) != 0) return refuse_errno(errno, path);
  if (static_cast<std::uintmax_t>(status.st_size) > bytes_max) return too_big();
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(status.st_size));
  std::array<char, 64 * 1024> block;
  for (;;) {
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refuse_errno(errno, path);
    if (count == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(count) > bytes_max) return too_big();
    bytes.append(block.data(), static_cast<std::size_t>(count));
  }
}

bool allowed(const std::string& sha256, const std::vector<std::string>& allow) {
  return allow.empty() || std::ranges::find(allow, sha256) != allow.end();
}

}  // namespace

std::expected<TrustedFile, PluginError> read_trusted(const fs::path& path,
                                                     const TrustPolicy& policy) {
  const auto placed = [&](PluginError error, std::string sha256 = {}) {
    error.path = path.string();
    error.sha256 = std::move(sha256);
    return std::unexpected(std::move(error));
  };
  const auto file = Walk(path).open_file();
  if (!file) return placed(file.error());
  auto bytes = read_all(file->fd(), path, policy.bytes_max);
  if (!bytes) return placed(bytes.error());
  std::string sha256 = sha256_hex(*bytes);
  if (!allowed(sha256, policy.sha256_allow))
    return placed(refuse(PluginFault::hash_not_allowed,
                         fmt::format("its sha256 {} is not in the list", sha256),
                         "add it to plugins.sha256_allow in flows.yaml if you trust this file")
                      .error(),
                  sha256);
  return TrustedFile{.path = path, .bytes = *std::move(bytes), .sha256 = std::move(sha256)};
}

}  // namespace weir
