#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir {

/// A share in the private PostgreSQL of one folder, which is used when the configuration names no
/// database.
///
/// The first user of a folder makes the cluster and starts its server, others join it, and the last
/// one to leave stops it. Users are processes or objects. They coordinate with locks in the folder,
/// so a user that crashes leaves nothing to clean up: its server keeps running, and the next user
/// takes it over. The server listens on no network, only on a Unix socket that its owner and root
/// may use; what it has committed is on disk. docs/decisions/0001 says why and how.
///
/// Threads: open is [any thread]; one object belongs to one thread at a time. After a fork the
/// child's copy does nothing: only the process that opened a share releases it.
class LocalPostgres {
 public:
  struct Options {
    /// The folder with initdb and postgres. Empty: $WEIR_POSTGRES_BIN, else the newest installed
    /// version, 14 or later.
    std::filesystem::path programs = {};
    /// Where a cluster is put when the server's user cannot reach its folder (in root's home, say).
    std::filesystem::path elsewhere = "/var/lib/weir";
    /// How long a start, a recovery after a crash, or a stop may take.
    std::chrono::seconds patience{60};
    /// Whether commits survive a power failure. False only for tests, whose data is not kept.
    bool durable = true;
  };

  /// Joins the server of `folder` (".weir" beside flows.yaml); makes the folder and the cluster and
  /// starts the server if necessary. Cost: 1 ms when the server runs, 60 ms when it has to start,
  /// 1 s for a new cluster.
  ///
  /// When root calls this, the server runs as the cluster's owner, of a new one as `postgres` or
  /// else `nobody`; when that user cannot reach `folder`, the cluster is put below `elsewhere`, and
  /// `folder`/postgres.elsewhere names the place.
  ///
  /// Errors, all unavailable: "postgres_missing", "postgres_too_old", "no_permission", "disk_full",
  /// "no_such_user", "initdb_failed", "server_failed", "server_slow", "folder_unusable". Each
  /// message has the path, and the last lines of the log where there is one.
  static Result<LocalPostgres> open(const std::filesystem::path& folder, const Options& options);
  static Result<LocalPostgres> open(const std::filesystem::path& folder) {
    return open(folder, Options());
  }

  /// Whether the server of `folder` is running, for callers that do not want to start it.
  static bool is_running(const std::filesystem::path& folder);

  /// A libpq URL of a database of the cluster, as the superuser. Valid while this share is held.
  std::string url(std::string_view database = "postgres") const;

  /// Where the cluster is: `folder`/postgres, or the place below `elsewhere`. It contains data/ and
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
