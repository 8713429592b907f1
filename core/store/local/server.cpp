#include "store/local/server.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "base/process_handle.hpp"
#include "store/local/command.hpp"
#include "store/local/deadline.hpp"
#include "store/local/initdb.hpp"
#include "store/local/postmaster.hpp"
#include "store/local/server_log.hpp"

namespace weir::local {
namespace fs = std::filesystem;
namespace {

/// The main process of a server that accepts connections.
std::optional<ProcessHandle> ready_server(const ClusterFolder& cluster) {
  const auto found = read_pid_file(cluster.data());
  if (!found || found->status != "ready") return std::nullopt;
  auto server = ProcessHandle::open(found->pid);
  const std::string url = server_url(cluster, "postgres") + "&connect_timeout=2";
  if (!server || !works_in_folder(found->pid, cluster.data()) || PQping(url.c_str()) != PQPING_OK)
    return std::nullopt;
  return *std::move(server);
}

/// What keeps a server that was started before from being joined or replaced.
std::string what_remains(const ClusterFolder& cluster) {
  const auto found = read_pid_file(cluster.data());
  if (found && works_in_folder(found->pid, cluster.data()))
    return fmt::format("the server in \"{}\" neither became ready nor ended",
                       cluster.root().string());
  return fmt::format("the server in \"{}\" has ended, but its processes {} have not",
                     cluster.root().string(), fmt::join(processes_in(cluster.data()), ", "));
}

/// Waits until a server that was started before can be joined (its main process) or has ended
/// (nullopt).
Result<std::optional<ProcessHandle>> join_existing(const ClusterFolder& cluster,
                                                   const ServerStart& start) {
  for (const Deadline deadline(start.patience);; Deadline::wait_one_interval()) {
    if (auto server = ready_server(cluster)) return server;
    if (!any_process_in(cluster.data())) return std::nullopt;
    if (start.cancelled()) return std::unexpected(cancelled_error());
    if (deadline.passed()) return std::unexpected(deadline.error(what_remains(cluster)));
  }
}

/// Removes files of a server that ended without removing them; they would keep the next one from
/// starting. If one cannot be removed, the error of the next server names it.
void remove_leftovers(const ClusterFolder& cluster) {
  std::error_code ignored;
  fs::remove(cluster.data() / "postmaster.pid", ignored);
  fs::remove(cluster.socket() / ".s.PGSQL.5432.lock", ignored);
  fs::remove(cluster.socket() / ".s.PGSQL.5432", ignored);
}

/// The command line with the settings that Weir makes; all others are in data/postgresql.conf.
std::vector<std::string> command_line(const ClusterFolder& cluster,
                                      const PostgresPrograms& programs, bool durable) {
  std::vector<std::string> line = {programs.postgres(), "-D", cluster.data(), "-k",
                                   cluster.socket()};
  const auto set = [&](std::string_view name, std::string_view value) {
    line.insert(line.end(), {"-c", fmt::format("{}={}", name, value)});
  };
  set("listen_addresses", "");
  set("unix_socket_permissions", "0700");
  set("hba_file", (cluster.root() / "pg_hba.conf").string());
  set("ident_file", (cluster.root() / "pg_ident.conf").string());
  set("cluster_name", "weir");
  set("jit", "off");  // made a statement of a batch take 0.9 s instead of 10 ms
  set("wal_level", "minimal");
  set("max_wal_senders", "0");
  set("max_wal_size", "2GB");
  set("checkpoint_timeout", "15min");
  set("log_checkpoints", "off");
  set("recovery_init_sync_method", "syncfs");
  if (!durable) {
    for (const char* name : {"fsync", "synchronous_commit", "full_page_writes"}) set(name, "off");
  }
  return line;
}

/// Lets the cluster's owner and root connect, authenticated by the kernel, as the superuser.
Result<void> write_access_rules(const ClusterFolder& cluster) {
  const auto rules = cluster.write("pg_hba.conf", "local all all peer map=weir\n");
  if (!rules) return rules;
  return cluster.write("pg_ident.conf", fmt::format("weir root {1}\nweir \"{0}\" {1}\n",
                                                    cluster.owner().name, superuser));
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char byte : text) {
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || std::string_view("/._-~").contains(byte);
    if (plain) {
      encoded += byte;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
  }
  return encoded;
}

}  // namespace

Error cancelled_error() {
  return {.code = ErrorCode::unavailable,
          .kind = "cancelled",
          .message = "the start of the private PostgreSQL was cancelled",
          .hint = {}};
}

std::string server_url(const ClusterFolder& cluster, std::string_view database) {
  return fmt::format("postgresql:///{}?host={}&port=5432&user={}", percent_encoded(database),
                     percent_encoded(cluster.socket().string()), superuser);
}

Result<ProcessHandle> ensure_running(const ClusterFolder& cluster, const PostgresPrograms& programs,
                                     const ServerStart& start) {
  auto joined = join_existing(cluster, start);
  if (!joined) return std::unexpected(joined.error());
  if (*joined) return **std::move(joined);

  remove_leftovers(cluster);
  if (const auto made = cluster.make_socket_folder(); !made) return std::unexpected(made.error());
  if (const auto written = write_access_rules(cluster); !written)
    return std::unexpected(written.error());
  const ServerLog log = ServerLog::from_now(cluster.log());
  auto server = start_detached({.arguments = command_line(cluster, programs, start.durable),
                                .folder = cluster.root(),
                                .log = cluster.log()},
                               cluster.owner());
  if (!server) return std::unexpected(server.error());
  for (const Deadline deadline(start.patience); !ready_server(cluster);) {
    if (server->wait(Deadline::poll_interval)) {
      return std::unexpected(log.failure("server_failed", "the private PostgreSQL did not start"));
    }
    // Not before stop() finds it.
    if (start.cancelled() && read_pid_file(cluster.data()))
      return std::unexpected(cancelled_error());
    // A long recovery may be in progress: the server is left running, and the next caller joins it.
    if (deadline.passed()) {
      return std::unexpected(deadline.error("the private PostgreSQL did not become ready"));
    }
  }
  return *std::move(server);
}

void stop(const ClusterFolder& cluster, std::chrono::steady_clock::time_point until) {
  constexpr std::chrono::seconds quit_patience{1};
  const auto found = read_pid_file(cluster.data());
  if (!found) return;
  // The handle is opened before the check, because another process may have the pid of a server
  // that ended.
  const auto server = ProcessHandle::open(found->pid);
  if (!server || !works_in_folder(found->pid, cluster.data())) return;
  server->signal(SIGINT);  // PostgreSQL's "fast" mode: disconnect clients, checkpoint, end
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  if (!server->wait(std::max(left, std::chrono::milliseconds(0)))) {
    server->signal(SIGQUIT);  // "immediate"
    server->wait(quit_patience);
  }
  std::error_code ignored;
  if (cluster.socket().parent_path() != cluster.root()) fs::remove(cluster.socket(), ignored);
}

}  // namespace weir::local
