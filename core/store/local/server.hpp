#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/process_handle.hpp"
#include "store/local/cluster_folder.hpp"
#include "store/local/postgres_programs.hpp"

namespace weir::local {

/// The libpq URL of a cluster's server.
std::string server_url(const ClusterFolder& cluster, std::string_view database);

/// How a server is made to run.
struct ServerStart {
  std::chrono::seconds patience;  ///< how long an earlier one may take to end, and it to be ready
  bool durable;
  /// Asked every few milliseconds: whether to give up. Then a server that was started is left
  /// running; stop() ends it.
  std::function<bool()> cancelled;
};

/// Returns the server's main process once it accepts connections. A server that runs is joined,
/// whichever process started it; else leftovers of an earlier one are removed and a server is
/// started. The caller holds the start lock. Errors: "server_failed", "server_slow", "disk_full",
/// "cancelled", or those of folder_error().
Result<ProcessHandle> ensure_running(const ClusterFolder& cluster, const PostgresPrograms& programs,
                                     const ServerStart& start);

/// Stops the server, if it runs, and breaks its connections. One that has not ended at `until` ends without a
/// checkpoint, and recovers when it is started next. The caller holds the start lock.
void stop(const ClusterFolder& cluster, std::chrono::steady_clock::time_point until);

/// unavailable, kind "cancelled".
Error cancelled_error();

}  // namespace weir::local
