#include "store/local/initdb.hpp"

#include <filesystem>
#include <string>

#include <fmt/core.h>

#include "store/local/command.hpp"
#include "store/local/deadline.hpp"
#include "store/local/folder_error.hpp"
#include "store/local/postmaster.hpp"
#include "store/local/server_log.hpp"

namespace weir::local {
namespace fs = std::filesystem;

Result<void> initialise(const ClusterFolder& cluster, const PostgresPrograms& programs,
                        std::chrono::seconds patience, bool durable) {
  for (const Deadline deadline(patience); any_process_in(cluster.data());
       Deadline::wait_one_interval()) {
    if (deadline.passed()) {
      return std::unexpected(deadline.error(
          fmt::format("an earlier initdb in \"{}\" did not end", cluster.root().string())));
    }
  }
  std::error_code why;
  fs::remove_all(cluster.data(), why);
  if (why) return std::unexpected(folder_error("clear", cluster.data(), why.value()));

  const ServerLog log = ServerLog::from_now(cluster.initdb_log());
  const Result<int> status = run(
      {.arguments = {programs.initdb(), "-D", cluster.data(), "-U", std::string(superuser), "-A",
                     "peer", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
       .folder = cluster.root(),
       .log = cluster.initdb_log()},
      cluster.owner());
  if (!status) return std::unexpected(status.error());
  if (*status != 0) {
    return std::unexpected(
        log.failure("initdb_failed", fmt::format("initdb failed (exit status {})", *status)));
  }
  return cluster.mark_initialised(durable);
}

}  // namespace weir::local
