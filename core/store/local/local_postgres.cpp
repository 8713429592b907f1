#include "store/local/local_postgres.hpp"

#include <csignal>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

#include "base/process_handle.hpp"
#include "store/local/cluster_folder.hpp"
#include "store/local/deadline.hpp"
#include "store/local/file_lock.hpp"
#include "store/local/initdb.hpp"
#include "store/local/postgres_programs.hpp"
#include "store/local/postmaster.hpp"
#include "store/local/server.hpp"

namespace weir {
namespace {

using std::chrono::steady_clock;

// For a server whose start was cancelled.
constexpr std::chrono::seconds cancelled_patience{3};

}  // namespace

// Invariants:
// - Only the process that holds start.lock may make the cluster, or start or stop the server.
// - The share of users.lock is taken and released only with start.lock held, so the last user
//   detects that it is the last, and no other process can join while it stops the server.
// - While a process shares users.lock, nobody stops the server but from outside; then the users
//   that watch it start it again, the first of them with start.lock.
// - A process that crashes loses its locks.
struct LocalPostgres::Share {
  local::ClusterFolder cluster;
  local::FileLock users;
  Options options;
  ProcessHandle server;
  std::optional<steady_clock::time_point> stop_by{};
  pid_t process = getpid();

  ~Share() {
    if (process != getpid()) return;
    const auto until = stop_by.value_or(steady_clock::now() + options.patience);
    auto start = local::FileLock::open(cluster.start_lock(), cluster.owner());
    if (!start) return;
    const auto held = start->lock_exclusive([&] { return steady_clock::now() >= until; });
    if (held && *held && users.try_lock_exclusive()) local::stop(cluster, until);
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
  const auto held = start->lock_exclusive(options.cancelled);
  if (!held) return std::unexpected(held.error());
  if (!*held) return std::unexpected(local::cancelled_error());

  const auto programs = local::find_programs(options.programs, cluster->initialised());
  if (!programs) return std::unexpected(programs.error());
  if (!cluster->initialised()) {
    const auto made = local::initialise(*cluster, *programs, options.patience, options.durable);
    if (!made) return std::unexpected(made.error());
  }
  auto server = local::ensure_running(
      *cluster, *programs,
      {.patience = options.patience, .durable = options.durable, .cancelled = options.cancelled});
  if (!server) {
    if (server.error().kind == "cancelled" && users->try_lock_exclusive())
      local::stop(*cluster, steady_clock::now() + cancelled_patience);
    return std::unexpected(server.error());
  }
  if (const auto shared = users->lock_shared(); !shared) return std::unexpected(shared.error());
  return LocalPostgres(std::unique_ptr<Share>(new Share{.cluster = *std::move(cluster),
                                                        .users = *std::move(users),
                                                        .options = options,
                                                        .server = *std::move(server)}));
}

std::optional<LocalPostgres::End> LocalPostgres::wait_for_end(std::chrono::milliseconds limit) {
  if (!share_->server.has_ended(limit)) return std::nullopt;
  if (const auto end = share_->server.reap(std::chrono::milliseconds(0)); end && !end->ok())
    return End{.how = to_string(*end)};
  // A server that is shut down removes its pid file, as its last act.
  if (!local::read_pid_file(share_->cluster.data()))
    return End{.how = "somebody shut it down", .shut_down = true};
  return End{.how = "suddenly"};
}

bool LocalPostgres::is_shutting_down() const {
  const auto found = local::read_pid_file(share_->cluster.data());
  return found && found->pid == share_->server.pid() && found->status == "stopping";
}

void LocalPostgres::end_sessions() const { share_->server.signal(SIGINT); }

Result<void> LocalPostgres::start_again(std::chrono::seconds patience,
                                        const std::function<bool()>& cancelled) {
  auto start = local::FileLock::open(share_->cluster.start_lock(), share_->cluster.owner());
  if (!start) return std::unexpected(start.error());
  const local::Deadline deadline(patience);
  const auto held = start->lock_exclusive([&] { return deadline.passed() || cancelled(); });
  if (!held) return std::unexpected(held.error());
  if (!*held)
    return std::unexpected(
        deadline.error("another process that starts or stops the server did not finish"));
  const auto programs =
      local::find_programs(share_->options.programs, share_->cluster.initialised());
  if (!programs) return std::unexpected(programs.error());
  auto server = local::ensure_running(
      share_->cluster, *programs,
      {.patience = patience, .durable = share_->options.durable, .cancelled = cancelled});
  if (!server) return std::unexpected(server.error());
  share_->server = *std::move(server);
  return {};
}

void LocalPostgres::stop_by(steady_clock::time_point until) { share_->stop_by = until; }

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
