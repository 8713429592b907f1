#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "store/local/cluster_folder.hpp"
#include "store/local/postgres_programs.hpp"

namespace weir::local {

/// The libpq URL under which a cluster's server answers when it runs.
std::string server_url(const ClusterFolder& cluster, std::string_view database);

/// Comes back when the server takes connections: one that runs is joined, whoever started it; else
/// one is started, after what an ended one left behind is gone. The caller holds the start lock.
/// Errors: "server_failed", "server_slow", "disk_full", or the folder's.
Result<void> ensure_running(const ClusterFolder& cluster, const PostgresPrograms& programs,
                            std::chrono::seconds patience, bool durable);

/// Ends the server, if there is one, breaking its connections. The caller holds the start lock.
void stop(const ClusterFolder& cluster, std::chrono::seconds patience);

}  // namespace weir::local
