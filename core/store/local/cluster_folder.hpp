#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "store/local/identity.hpp"

namespace weir::local {

/// The folder of one private cluster, and its owner. Everything is below root(), which only the
/// owner and the user root may enter:
///
///   data/        PostgreSQL's data directory
///   socket/      where the server listens, unless a Unix socket's address cannot hold that path
///   server.log   the server's log; initdb.log is that of initdb
///   start.lock   held by the process that makes the cluster, or starts or stops its server
///   users.lock   shared by all processes that use the server
///   initialised  written last when the cluster is made; without it data/ is incomplete
class ClusterFolder {
 public:
  /// The cluster of `folder`: in `folder`/postgres or, if there is a file
  /// `folder`/postgres.elsewhere, in the place that it names. Makes missing folders, empty, and
  /// below `elsewhere` if necessary; concurrent callers get the same folder. Errors: as
  /// LocalPostgres::open.
  static Result<ClusterFolder> open(const std::filesystem::path& folder,
                                    const std::filesystem::path& elsewhere);

  const Identity& owner() const noexcept { return owner_; }
  const std::filesystem::path& root() const noexcept { return root_; }
  std::filesystem::path data() const { return root_ / "data"; }
  std::filesystem::path log() const { return root_ / "server.log"; }
  std::filesystem::path initdb_log() const { return root_ / "initdb.log"; }
  std::filesystem::path start_lock() const { return root_ / "start.lock"; }
  std::filesystem::path users_lock() const { return root_ / "users.lock"; }

  /// The folder of the socket; in /tmp when root() is too long for a socket's address, or has
  /// characters that the server's setting cannot take.
  std::filesystem::path socket() const;

  /// Makes socket() if it is missing; refuses one in /tmp that belongs to another user.
  Result<void> make_socket_folder() const;

  /// The version of PostgreSQL that made data/, if data/ is complete.
  std::optional<int> initialised() const;

  /// Marks data/ as complete; when `durable`, after all of it was written to disk.
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
