#include "store/local/cluster_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"
#include "base/sha256.hpp"
#include "store/local/command.hpp"
#include "store/local/file_lock.hpp"
#include "store/local/folder_error.hpp"
#include "store/local/small_file.hpp"

namespace weir::local {
namespace fs = std::filesystem;
namespace {

Result<void> make_folders(const fs::path& folder) {
  std::error_code why;
  fs::create_directories(folder, why);
  if (why) return std::unexpected(folder_error("make the folder", folder, why.value()));
  return {};
}

struct stat status_of(int fd) {
  struct stat status{};
  fstat(fd, &status);
  return status;
}

Error belongs_to_another(const fs::path& folder, uid_t uid) {
  const Result<Identity> other = user(uid);
  return unavailable("no_permission",
                     fmt::format("the database in \"{}\" belongs to user {}", folder.string(),
                                 other ? other->name : std::to_string(uid)),
                     "run as that user or as root");
}

/// Makes a folder that only `owner` may enter. An existing folder keeps its owner, who is returned.
Result<Identity> private_folder(const fs::path& folder, const Identity& owner) {
  const bool made = mkdir(folder.c_str(), 0700) == 0;
  if (!made && errno != EEXIST)
    return std::unexpected(folder_error("make the folder", folder, errno));
  const FileDescriptor opened(
      ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) {
    struct stat status{};
    const int why = errno;
    if (why == EACCES && lstat(folder.c_str(), &status) == 0 && status.st_uid != geteuid()) {
      return std::unexpected(belongs_to_another(folder, status.st_uid));
    }
    return std::unexpected(folder_error("open the folder", folder, why));
  }
  const uid_t uid = status_of(opened.fd()).st_uid;
  if (uid == owner.uid) return owner;
  if (geteuid() != 0) return std::unexpected(belongs_to_another(folder, uid));
  if (uid != 0) return user(uid);  // root uses the folder of the user who made it
  if (fchown(opened.fd(), owner.uid, owner.gid) != 0) {
    return std::unexpected(folder_error("change the owner of", folder, errno));
  }
  return owner;
}

/// A new folder below `elsewhere`, with a unique name.
Result<fs::path> new_place(const fs::path& folder, const fs::path& elsewhere,
                           const Identity& owner) {
  if (const auto made = make_folders(elsewhere); !made) return std::unexpected(made.error());
  chmod(elsewhere.c_str(), 0755);  // root's umask may be stricter; what is inside protects itself
  std::string name = (elsewhere / (folder.parent_path().filename().string() + "-XXXXXX")).string();
  if (mkdtemp(name.data()) == nullptr) {
    return std::unexpected(folder_error("make a folder in", elsewhere, errno));
  }
  if (chown(name.c_str(), owner.uid, owner.gid) != 0) {
    return std::unexpected(folder_error("change the owner of", name, errno));
  }
  if (!can_enter(name, owner)) {
    rmdir(name.c_str());
    return std::unexpected(
        unavailable("no_permission",
                    fmt::format("the server's user {} can reach neither \"{}\" nor \"{}\"",
                                owner.name, folder.string(), elsewhere.string()),
                    "let that user pass through their parent folders (chmod o+x)"));
  }
  return name;
}

}  // namespace

Result<ClusterFolder> ClusterFolder::open(const fs::path& requested, const fs::path& elsewhere) {
  // A path that ends in a slash: its parent_path() is the folder itself.
  const fs::path folder = fs::absolute(requested).lexically_normal() / "";
  const fs::path home = folder.parent_path();
  const fs::path inside = home / "postgres";
  const fs::path pointer = home / "postgres.elsewhere";
  if (const auto made = make_folders(home); !made) return std::unexpected(made.error());

  auto lock = FileLock::open_folder(home);
  if (!lock) return std::unexpected(lock.error());
  if (const auto held = lock->lock_exclusive(); !held) return std::unexpected(held.error());

  Result<Identity> owner = owner_of_new_cluster();
  if (!owner) return std::unexpected(owner.error());
  fs::path root = read_small_file(pointer);
  if (root.empty()) {
    std::error_code ignored;
    if (fs::exists(inside, ignored) || can_enter(home, *owner)) {
      root = inside;
    } else {
      const auto place = new_place(home, elsewhere, *owner);
      if (!place) return std::unexpected(place.error());
      root = *place;
      if (const auto written = write_small_file(pointer, root.string() + "\n"); !written) {
        rmdir(root.c_str());
        return std::unexpected(written.error());
      }
    }
  } else if (std::error_code why; !fs::is_directory(root, why)) {
    return std::unexpected(
        unavailable("folder_unusable",
                    fmt::format("\"{}\" says that the database is in \"{}\", which is not there",
                                pointer.string(), root.string()),
                    "restore it, or delete the file to begin with an empty database"));
  }
  owner = private_folder(root, *owner);
  if (!owner) return std::unexpected(owner.error());
  return ClusterFolder(std::move(root), *owner);
}

fs::path ClusterFolder::socket() const {
  const std::string inside = root_ / "socket";
  // The server listens on <folder>/.s.PGSQL.5432, and parses the setting as a list of folders,
  // separated by commas and possibly quoted.
  constexpr std::size_t bytes_max = sizeof(sockaddr_un::sun_path) - sizeof("/.s.PGSQL.5432");
  const bool odd = std::ranges::any_of(inside, [](unsigned char byte) {
    return byte <= ' ' || byte == ',' || byte == '"' || byte == '\'' || byte == '\\';
  });
  if (inside.size() <= bytes_max && !odd) return inside;
  return fmt::format("/tmp/weir-{}", sha256_hex(root_.string()).substr(0, 16));
}

Result<void> ClusterFolder::make_socket_folder() const {
  const fs::path folder = socket();
  const Result<Identity> found = private_folder(folder, owner_);
  if (!found) return std::unexpected(found.error());
  if (found->uid != owner_.uid) return std::unexpected(belongs_to_another(folder, found->uid));
  return {};
}

std::optional<int> ClusterFolder::initialised() const {
  const std::string text = read_small_file(root_ / "initialised");
  int major = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), major);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return major;
}

Result<void> ClusterFolder::mark_initialised(bool durable) const {
  if (durable) {
    const FileDescriptor folder(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || syncfs(folder.fd()) != 0) {
      return std::unexpected(folder_error("write to disk what is in", root_, errno));
    }
  }
  return write("initialised", read_small_file(data() / "PG_VERSION") + "\n");
}

Result<void> ClusterFolder::write(std::string_view name, std::string_view text) const {
  return write_small_file(root_ / name, text);
}

}  // namespace weir::local
