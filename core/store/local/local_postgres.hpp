#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
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
/// takes it over. A server that ended too early is started again by a user that watches it
/// (wait_for_end, start_again), or by the next one that opens the folder. The server listens on no network, only on a Unix socket that its owner and root
/// may use; what it has committed is on disk. docs/decisions/0001 says why and how.
///
/// Threads: open is [any thread]; one object belongs to one thread at a time, but the members that
/// watch the server may be called on another thread than url() and cluster(). After a fork the
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
    /// Asked every few milliseconds, on the thread of the call: whether open() gives up.
    std::function<bool()> cancelled = [] { return false; };
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
  /// "no_such_user", "initdb_failed", "server_failed", "server_slow", "folder_unusable", "cancelled". Each
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

  /// How the server ended.
  struct End {
    std::string how;         ///< for people: "signal 9 (SIGKILL)", "somebody shut it down"
    bool shut_down = false;  ///< in good order
  };

  /// Waits for the end of the server's main process; nullopt when it still runs after `limit`.
  /// That single processes of it crash and recover is no end.
  std::optional<End> wait_for_end(std::chrono::milliseconds limit);

  /// Whether somebody is shutting the server down, which lasts as long as its sessions if it is
  /// done in PostgreSQL's "smart" mode.
  bool is_shutting_down() const;

  /// Makes such a shutdown a "fast" one, which ends the sessions.
  void end_sessions() const;

  /// Starts a server that has ended, or joins the one that another user has started meanwhile.
  /// Gives up after `patience` for each of: the ends of what remains of the earlier server, and
  /// readiness; what was started keeps running then, and the next call joins it. Gives up within
  /// milliseconds when `cancelled` returns true, which is asked from this thread. Errors: as open,
  /// and "cancelled".
  Result<void> start_again(std::chrono::seconds patience, const std::function<bool()>& cancelled);

  /// Limits how long the end of this object takes to about a second after `until`; without it, Options::patience. A
  /// server that this last user stops and that is not down by then ends without a checkpoint.
  void stop_by(std::chrono::steady_clock::time_point until);

  LocalPostgres(LocalPostgres&&) noexcept;
  LocalPostgres& operator=(LocalPostgres&&) noexcept;
  ~LocalPostgres();

 private:
  struct Share;
  explicit LocalPostgres(std::unique_ptr<Share> share) noexcept;
  std::unique_ptr<Share> share_;
};

}  // namespace weir
