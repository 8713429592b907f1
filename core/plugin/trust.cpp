#include "plugin/trust.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <list>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"
#include "base/in_quotes.hpp"
#include "base/sha256.hpp"
#include "registry/flow_module.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

std::unexpected<PluginError> refuse_file(PluginFault kind, std::string detail,
                                         std::string_view hint) {
  return refusal(PluginStage::verify, kind, std::move(detail), hint);
}

std::unexpected<PluginError> refuse_errno(int error, const fs::path& at) {
  if (error == ENOENT)
    return refuse_file(PluginFault::not_found,
                       fmt::format("there is no {}", in_quotes(at.native())), "check the path");
  return refuse_file(PluginFault::unreadable,
                     fmt::format("{} can't be opened: {}", in_quotes(at.native()),
                                 std::generic_category().message(error)),
                     "allow the user Weir runs as to read it");
}

std::unexpected<PluginError> refuse_kind(mode_t mode, const std::string& link_target) {
  constexpr std::string_view hint =
      "a plugin is a file of its own: copy the library itself into the folder";
  switch (mode & S_IFMT) {
    case S_IFLNK:
      return refuse_file(PluginFault::not_regular,
                         fmt::format("a symbolic link to {}", in_quotes(link_target)), hint);
    case S_IFDIR:
      return refuse_file(PluginFault::not_regular, "a folder, not a file", hint);
    case S_IFIFO:
      return refuse_file(PluginFault::not_regular, "a FIFO, not a file", hint);
    case S_IFSOCK:
      return refuse_file(PluginFault::not_regular, "a socket, not a file", hint);
    default:
      return refuse_file(PluginFault::not_regular, "a device, not a file", hint);
  }
}

// An entry of an access control list, as the kernel stores it after a version of 32 bits.
struct AccessEntry {
  static constexpr std::uint16_t named_user = 0x02, owning_group = 0x04, named_group = 0x08;
  static constexpr std::uint16_t write = 0x02;

  std::uint16_t tag, permissions;
  std::uint32_t id;
};

// The entries that let somebody write; none where there is no list. With one, the mode's bit of the
// group is only the most that the list gives. `opened` may be opened with O_PATH.
std::expected<std::vector<AccessEntry>, PluginError> listed_writers(const FileDescriptor& opened,
                                                                    const fs::path& at,
                                                                    const ReadAttribute& read) {
  std::array<char, 64 * 1024> list{};  // the most that an attribute can have
  const ssize_t size = read(fmt::format("/proc/self/fd/{}", opened.fd()).c_str(),
                            "system.posix_acl_access", list.data(), list.size());
  std::vector<AccessEntry> writers;
  if (size < 0 && errno != ENODATA && errno != ENOTSUP)
    return refuse_file(PluginFault::untrusted_path,
                       fmt::format("the access control list of {} cannot be read: {}",
                                   in_quotes(at.native()), std::generic_category().message(errno)),
                       "Weir needs /proc, and the right to read the list");
  for (std::size_t next = sizeof(std::uint32_t);
       size > 0 && next + sizeof(AccessEntry) <= static_cast<std::size_t>(size);
       next += sizeof(AccessEntry)) {
    AccessEntry entry;
    std::memcpy(&entry, list.data() + next, sizeof entry);
    if ((entry.permissions & AccessEntry::write) != 0) writers.push_back(entry);
  }
  return writers;
}

std::expected<void, PluginError> check_writers(const FileDescriptor& opened, const fs::path& at,
                                               TrustedFiles::Lookups& lookups) {
  struct stat status{};
  if (::fstat(opened.fd(), &status) != 0) return refuse_errno(errno, at);
  const uid_t self = ::geteuid();
  if (status.st_uid != 0 && status.st_uid != self)
    return refuse_file(
        PluginFault::untrusted_path,
        fmt::format("{} belongs to user {}, who is neither root nor the user Weir runs as ({})",
                    in_quotes(at.native()), status.st_uid, self),
        fmt::format("chown it to user {} or to root", self));
  if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0) return {};
  const auto refuse_mode = [&](std::string_view who) {
    return refuse_file(PluginFault::untrusted_path,
                       fmt::format("{} can be written by {} (mode {:04o})", in_quotes(at.native()),
                                   who, status.st_mode & 07777U),
                       fmt::format("chmod go-w {}", at.native()));
  };
  if ((status.st_mode & S_IWOTH) != 0) return refuse_mode("everybody");
  if ((status.st_mode & S_IWGRP) == 0) return {};
  const auto writers = listed_writers(opened, at, lookups.read_attribute);
  if (!writers) return std::unexpected(writers.error());
  const auto may_write = [&](const AccessEntry& entry) {
    switch (entry.tag) {
      case AccessEntry::named_user:
        return entry.id != 0 && entry.id != self;
      case AccessEntry::named_group:
        return !lookups.groups.contains(status.st_uid, entry.id);
      case AccessEntry::owning_group:
        return !lookups.groups.contains(status.st_uid, status.st_gid);
      default:
        return false;
    }
  };
  const bool has_list = !writers->empty();  // with one, its mask lets somebody write
  if (!has_list && !lookups.groups.contains(status.st_uid, status.st_gid))
    return refuse_mode("its group");
  if (std::ranges::any_of(*writers, may_write))
    return refuse_file(PluginFault::untrusted_path,
                       fmt::format("{} can be written by others whom its access control list names",
                                   in_quotes(at.native())),
                       fmt::format("getfacl shows them; setfacl -b {}", at.native()));
  return {};
}

std::string link_target(int folder, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(folder, name.c_str(), target.data(), target.size());
  return {target.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
}

}  // namespace

// Goes down from the root one name at a time, each relative to a folder already open and checked,
// so that no other user can put something else in its place meanwhile. Links among the folders are
// followed here: the folders that contain them and those they lead through are checked like all
// others.
class TrustWalk {
 public:
  using Folder = TrustedFiles::Folder;

  TrustWalk(const fs::path& folder, TrustedFiles::Lookups& lookups) : lookups_(lookups) {
    for (const fs::path& name : folder.relative_path())
      if (!name.empty()) names_.push_back(name.string());
  }

  std::expected<std::shared_ptr<const Folder>, PluginError> open_folder() {
    if (auto entered = enter_root(); !entered) return std::unexpected(entered.error());
    while (!names_.empty()) {
      const std::string name = std::move(names_.front());
      names_.pop_front();
      if (auto entered = enter(name); !entered) return std::unexpected(entered.error());
    }
    return std::make_shared<const Folder>(Folder{std::move(folder_), std::move(at_)});
  }

 private:
  std::expected<void, PluginError> enter_root() {
    folder_ = FileDescriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    at_ = "/";
    return check_folder();
  }

  std::expected<void, PluginError> check_folder() const {
    return check_writers(folder_, at_, lookups_);
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
    auto before = names_.begin();
    for (const fs::path& each : target.relative_path())
      if (!each.empty()) names_.insert(before, each.string());  // empty: after a "/" at the end
    if (target.is_absolute()) return enter_root();
    return {};
  }

  TrustedFiles::Lookups& lookups_;
  std::list<std::string> names_;  // not yet entered
  FileDescriptor folder_;
  fs::path at_;
  int links_ = 0;
};

namespace {

// Null lookups: whoever may write it.
std::expected<FileDescriptor, PluginError> open_in(const FileDescriptor& folder, const fs::path& at,
                                                   const std::string& name,
                                                   TrustedFiles::Lookups* lookups) {
  const fs::path file = at / name;
  struct stat status{};
  // Checked before it is opened: opening a device may already have an effect.
  if (::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return refuse_errno(errno, file);
  if (!S_ISREG(status.st_mode)) return refuse_kind(status.st_mode, link_target(folder.fd(), name));
  FileDescriptor opened(::openat(folder.fd(), name.c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!opened || ::fstat(opened.fd(), &status) != 0) return refuse_errno(errno, file);
  if (!S_ISREG(status.st_mode)) return refuse_kind(status.st_mode, {});
  if (lookups != nullptr)
    if (auto trusted = check_writers(opened, file, *lookups); !trusted)
      return std::unexpected(trusted.error());
  return opened;
}

// Reads to the end that the file has when it is reached: the file may grow meanwhile.
std::expected<std::string, PluginError> read_all(int fd, const fs::path& path,
                                                 std::size_t bytes_max) {
  const auto too_big = [&] {
    return refuse_file(PluginFault::too_big, fmt::format("larger than {} bytes", bytes_max),
                       "strip it, or build it without debug information");
  };
  struct stat status{};
  if (::fstat(fd, &status) != 0) return refuse_errno(errno, path);
  if (static_cast<std::uintmax_t>(status.st_size) > bytes_max) return too_big();
  std::string bytes;
  const auto room = static_cast<std::size_t>(status.st_size) + 1;  // so that the read sees its end
  for (std::size_t size = 0;;) {
    if (size == bytes.size()) bytes.resize(size + std::max(room, size));
    const ssize_t count = ::read(fd, bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refuse_errno(errno, path);
    size += static_cast<std::size_t>(count);
    if (size > bytes_max) return too_big();
    if (count == 0) {
      bytes.resize(size);
      return bytes;
    }
  }
}

bool allowed(const std::string& sha256, const std::vector<std::string>& allow) {
  return allow.empty() || std::ranges::find(allow, sha256) != allow.end();
}

}  // namespace

std::expected<FileDescriptor, PluginError> TrustedFiles::open(const fs::path& path,
                                                              const TrustPolicy& policy) {
  const auto placed = [&](PluginError error) {
    error.path = path.string();
    return std::unexpected(std::move(error));
  };
  std::error_code no_current_folder;
  const fs::path whole = path.is_absolute() ? path : fs::absolute(path, no_current_folder);
  const std::string name = whole.filename().string();
  if (name.empty() || name == "." || name == "..") return placed(refuse_kind(S_IFDIR, {}).error());
  std::string above = whole.native().substr(0, whole.native().size() - name.size());
  if (policy.allow_any_writer) {
    const FileDescriptor unchecked(::open(above.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!unchecked) return placed(refuse_errno(errno, above).error());
    auto file = open_in(unchecked, above, name, nullptr);
    if (!file) return placed(std::move(file.error()));
    return file;
  }
  std::shared_ptr<const Folder>& folder = folders_[above];
  if (!folder) {
    auto opened = TrustWalk(std::move(above), lookups_).open_folder();
    if (!opened) return placed(std::move(opened.error()));
    folder = *std::move(opened);
  }
  auto file = open_in(folder->opened, folder->at, name, &lookups_);
  if (!file) return placed(std::move(file.error()));
  return file;
}

std::expected<std::string, PluginError> TrustedFiles::read_bytes(const fs::path& path,
                                                                 const TrustPolicy& policy) {
  const auto file = open(path, policy);
  if (!file) return std::unexpected(file.error());
  auto bytes = read_all(file->fd(), path, policy.bytes_max);
  if (!bytes) bytes.error().path = path.string();
  return bytes;
}

std::expected<TrustedFile, PluginError> TrustedFiles::read(const fs::path& path,
                                                           const TrustPolicy& policy) {
  auto bytes = read_bytes(path, policy);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  std::string sha256 = sha256_hex(*bytes);
  if (!allowed(sha256, policy.sha256_allow)) {
    return std::unexpected(
        placed(refuse_file(PluginFault::hash_not_allowed,
                           fmt::format("its sha256 {} is not in the list", sha256),
                           "add it to plugins.sha256_allow in flows.yaml if you trust this file")
                   .error(),
               {.path = path.string(), .sha256 = sha256}));
  }
  return TrustedFile{.path = path, .bytes = *std::move(bytes), .sha256 = std::move(sha256)};
}

std::expected<TrustedFile, PluginError> read_trusted(const fs::path& path,
                                                     const TrustPolicy& policy) {
  return TrustedFiles().read(path, policy);
}

}  // namespace weir
