#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "store/local/cluster_folder.hpp"
#include "store/local/postgres_programs.hpp"

namespace weir::local {

/// The libpq URL of a cluster's server.
std::string server_url(const ClusterFolder& cluster, std::string_view database);

/// Returns when the server accepts connections. A server that runs is joined, whichever process
/// started it; else leftovers of an earlier one are removed and a server is started. The caller
/// holds the start lock. Errors: "server_failed", "server_slow", "disk_full", or those of
/// folder_error().
Result<void> ensure_running(const ClusterFolder& cluster, const PostgresPrograms& programs,
                            std::chrono::seconds patience, bool durable);

/// Stops the server, if it runs, and breaks its connections. The caller holds the start lock.
void stop(const ClusterFolder& cluster, std::chrono::seconds patience);

}  // namespace weir::local
