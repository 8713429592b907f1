#include "store/local/local_postgres.hpp"

#include <system_error>

#include <unistd.h>

#include "store/local/cluster_folder.hpp"
#include "store/local/file_lock.hpp"
#include "store/local/initdb.hpp"
#include "store/local/postgres_programs.hpp"
#include "store/local/postmaster.hpp"
#include "store/local/server.hpp"

namespace weir {

// Invariants:
// - Only the process that holds start.lock may make the cluster, or start or stop the server.
// - While a process shares users.lock, the server runs. The share is taken and released only with
//   start.lock held, so the last user detects that it is the last, and no other process can join
//   while it stops the server.
// - A process that crashes loses its locks.
struct LocalPostgres::Share {
  local::ClusterFolder cluster;
  local::FileLock users;
  std::chrono::seconds patience;
  pid_t process = getpid();

  ~Share() {
    if (process != getpid()) return;
    auto start = local::FileLock::open(cluster.start_lock(), cluster.owner());
    if (start && start->lock_exclusive() && users.try_lock_exclusive())
      local::stop(cluster, patience);
  }
};

Result<LocalPostgres> LocalPostgres::open(const std::filesystem::path& folder,
                                          const Options& options) {
  // Checked before anything is made, so that a machine without PostgreSQL is left unchanged.
  if (const auto any = local::find_programs(options.programs, {}); !any) {
    return std::unexpected(any.error());
  }
  auto cluster = local::ClusterFolder::open(folder, options.elsewhere);
  if (!cluster) return std::unexpected(cluster.error());
  auto start = local::FileLock::open(cluster->start_lock(), cluster->owner());
  if (!start) return std::unexpected(start.error());
  auto users = local::FileLock::open(cluster->users_lock(), cluster->owner());
  if (!users) return std::unexpected(users.error());
  if (const auto held = start->lock_exclusive(); !held) return std::unexpected(held.error());

  const auto programs = local::find_programs(options.programs, cluster->initialised());
  if (!programs) return std::unexpected(programs.error());
  if (!cluster->initialised()) {
    const auto made = local::initialise(*cluster, *programs, options.patience, options.durable);
    if (!made) return std::unexpected(made.error());
  }
  const auto running =
      local::ensure_running(*cluster, *programs, options.patience, options.durable);
  if (!running) return std::unexpected(running.error());
  if (const auto shared = users->lock_shared(); !shared) return std::unexpected(shared.error());
  return LocalPostgres(
      std::make_unique<Share>(std::move(*cluster), std::move(*users), options.patience));
}

bool LocalPostgres::is_running(const std::filesystem::path& folder) {
  std::error_code ec;
  if (!std::filesystem::exists(folder / "postgres", ec) &&
      !std::filesystem::exists(folder / "postgres.elsewhere", ec))
    return false;
  const auto cluster = local::ClusterFolder::open(folder, Options().elsewhere);
  return cluster && local::any_process_in(cluster->data());
}

std::string LocalPostgres::url(std::string_view database) const {
  return local::server_url(share_->cluster, database);
}
const std::filesystem::path& LocalPostgres::cluster() const noexcept {
  return share_->cluster.root();
}

LocalPostgres::LocalPostgres(std::unique_ptr<Share> share) noexcept : share_(std::move(share)) {}
LocalPostgres::LocalPostgres(LocalPostgres&&) noexcept = default;
LocalPostgres& LocalPostgres::operator=(LocalPostgres&&) noexcept = default;
LocalPostgres::~LocalPostgres() = default;

}  // namespace weir
