#pragma once
#include <chrono>
#include <string_view>

#include "base/error.hpp"
#include "store/local/cluster_folder.hpp"
#include "store/local/postgres_programs.hpp"

namespace weir::local {

/// The only database user of a private cluster.
inline constexpr std::string_view superuser = "weir";

/// Fills data/ with an empty cluster, and removes what an unfinished attempt left there. The caller
/// holds the start lock. Errors: "initdb_failed", "disk_full", "server_slow", or those of
/// folder_error().
Result<void> initialise(const ClusterFolder& cluster, const PostgresPrograms& programs,
                        std::chrono::seconds patience, bool durable);

}  // namespace weir::local
