#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "store/local/identity.hpp"

namespace weir::local {

/// Where one private cluster lies, and who owns it. Everything of it is below root(), which only
/// its owner and root may enter:
///   data/         PostgreSQL's own
///   socket/       where the server listens, unless a Unix socket's address cannot hold that path
///   server.log    and initdb.log
///   start.lock    held by who makes, starts or stops; users.lock is shared by all who use the
///   server initialised   written last by who made the cluster; without it data/ is a leftover
class ClusterFolder {
 public:
  /// The cluster of `folder`: in `folder`/postgres or, where `folder`/postgres.elsewhere is a file,
  /// in the place it names. Makes what is missing, empty, and makes it elsewhere when it must; many
  /// at once agree. Errors: as LocalPostgres::open.
  static Result<ClusterFolder> open(const std::filesystem::path& folder,
                                    const std::filesystem::path& elsewhere);

  const Identity& owner() const noexcept { return owner_; }
  const std::filesystem::path& root() const noexcept { return root_; }
  std::filesystem::path data() const { return root_ / "data"; }
  std::filesystem::path log() const { return root_ / "server.log"; }
  std::filesystem::path initdb_log() const { return root_ / "initdb.log"; }
  std::filesystem::path start_lock() const { return root_ / "start.lock"; }
  std::filesystem::path users_lock() const { return root_ / "users.lock"; }

  /// The folder of the socket; in /tmp when root() is too long or too odd for a socket's address.
  std::filesystem::path socket() const;

  /// Makes socket() if it is missing; refuses one in /tmp that somebody else put there.
  Result<void> make_socket_folder() const;

  /// The version of PostgreSQL that made data/, if it was made to the end.
  std::optional<int> initialised() const;

  /// Marks data/ as made to the end, with all of it on disk if it is to be `durable`.
  Result<void> mark_initialised(bool durable) const;

  /// Writes a small file of our own below root(), never through a symbolic link.
  Result<void> write(std::string_view name, std::string_view text) const;

 private:
  ClusterFolder(std::filesystem::path root, Identity owner)
      : root_(std::move(root)), owner_(std::move(owner)) {}

  std::filesystem::path root_;
  Identity owner_;
};

}  // namespace weir::local
