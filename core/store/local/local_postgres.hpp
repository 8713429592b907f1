#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir {

/// A share in the private PostgreSQL of one folder: the database of those who name none.
///
/// The first user of a folder makes the cluster and starts its server, others join it, and the last
/// one to leave stops it. Users are processes or objects; they find each other by locks in the
/// folder, so a user that crashes leaves nothing to clean: its server lives on and the next user
/// takes it over. The server listens on no network, only on a Unix socket that its owner and root
/// may use; what it has committed is on disk. docs/decisions/0001 says why and how.
///
/// Threads: open is [any thread]; one object belongs to one thread at a time. After a fork the
/// child's copy is inert: only the process that opened a share gives it back.
class LocalPostgres {
 public:
  struct Options {
    /// Where initdb and postgres are. Empty: $WEIR_POSTGRES_BIN, else the newest installed, 14 or
    /// later.
    std::filesystem::path programs = {};
    /// Where a cluster goes whose own folder the server's user cannot reach (root's home, say).
    std::filesystem::path elsewhere = "/var/lib/weir";
    /// How long a start, a recovery after a crash, or a stop may take.
    std::chrono::seconds patience{60};
    /// Whether commits survive a power cut. False only for tests, whose data nobody wants back.
    bool durable = true;
  };

  /// Joins the server of `folder` (".weir" beside flows.yaml), making folder, cluster and server
  /// where they are missing. Cost: 1 ms when the server runs, 60 ms when it has to start, 1 s for a
  /// new cluster.
  ///
  /// As root the server runs as the cluster's owner, for a new one as `postgres` or else `nobody`;
  /// when that user cannot reach `folder`, the cluster goes below `elsewhere` and
  /// `folder`/postgres.elsewhere names it.
  ///
  /// Errors, all unavailable: "postgres_missing", "postgres_too_old", "no_permission", "disk_full",
  /// "no_such_user", "initdb_failed", "server_failed", "server_slow", "folder_unusable". Each
  /// message has the path, and the last lines of the log where there is one.
  static Result<LocalPostgres> open(const std::filesystem::path& folder, const Options& options);
  static Result<LocalPostgres> open(const std::filesystem::path& folder) {
    return open(folder, Options());
  }

  /// Whether somebody uses the server of `folder` just now, for those who would not start one.
  static bool is_running(const std::filesystem::path& folder);

  /// A libpq URL of the cluster's database, or of another in it, as the superuser. Good while this
  /// share is held.
  std::string url(std::string_view database = "postgres") const;

  /// Where the cluster really is: `folder`/postgres, or the place elsewhere. Holds data/ and
  /// server.log.
  const std::filesystem::path& cluster() const noexcept;

  LocalPostgres(LocalPostgres&&) noexcept;
  LocalPostgres& operator=(LocalPostgres&&) noexcept;
  ~LocalPostgres();

 private:
  struct Share;
  explicit LocalPostgres(std::unique_ptr<Share> share) noexcept;
  std::unique_ptr<Share> share_;
};

}  // namespace weir
