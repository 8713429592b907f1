#include "store/local/server.hpp"

#include <array>
#include <charconv>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include <fmt/core.h>
#include <libpq-fe.h>

#include "store/local/command.hpp"
#include "store/local/folder_error.hpp"
#include "store/local/process_handle.hpp"
#include "store/local/small_file.hpp"

namespace weir::local {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view superuser = "weir";
constexpr auto step = std::chrono::milliseconds(2);  // between looks at what the server wrote

using Deadline = std::chrono::steady_clock::time_point;
Deadline after(Patience patience) { return std::chrono::steady_clock::now() + patience; }
bool passed(Deadline deadline) { return std::chrono::steady_clock::now() >= deadline; }

/// What a postmaster says of itself in data/postmaster.pid.
struct PidFile {
  pid_t pid = 0;
  std::string status;  // "starting", "ready", "stopping"
};

std::optional<PidFile> read_pid_file(const ClusterFolder& cluster) {
  std::ifstream in(cluster.data() / "postmaster.pid");
  PidFile found;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number == 1) std::from_chars(line.data(), line.data() + line.size(), found.pid);
    if (number == 8) found.status = line.substr(0, line.find(' '));
  }
  return found.pid > 0 ? std::optional(found) : std::nullopt;
}

/// Whether `process`, a folder of /proc, stands in `folder`; no for one that has ended or is not
/// ours to see.
bool stands_in(const fs::path& process, const fs::path& folder) {
  std::error_code unseen;
  return fs::read_symlink(process / "cwd", unseen) == folder && !unseen;
}

/// Every process of a server, orphans included, works in its data folder. So this knows, where a
/// pid file doesn't, whether a server is left: pids are used again, and zombies have one too.
bool anyone_in(const fs::path& folder) {
  std::error_code gone;
  const fs::path real = fs::canonical(folder, gone);
  if (gone) return false;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename();
    if (name.front() >= '1' && name.front() <= '9' && stands_in(entry.path(), real)) return true;
  }
  return false;
}

bool answers(const ClusterFolder& cluster) {
  return PQping(server_url(cluster).c_str()) == PQPING_OK;
}

bool is_ready(const ClusterFolder& cluster) {
  const auto found = read_pid_file(cluster);
  return found && found->status == "ready" && answers(cluster);
}

/// The last lines of a log from `offset` on, indented, for the end of a message.
std::string last_lines(const fs::path& log, std::size_t offset) {
  std::string text = read_small_file(log, offset);
  std::size_t begin = text.size();
  for (int lines = 0; lines < 6 && begin != std::string::npos && begin > 0; ++lines) {
    begin = text.rfind('\n', begin - 1);
  }
  if (begin != std::string::npos && begin > 0) text.erase(0, begin + 1);
  std::string indented;
  for (const char byte : text) {
    if (indented.empty() || indented.back() == '\n') indented += "  ";
    indented += byte;
  }
  return indented.empty() ? "  (it says nothing)" : indented;
}

Error failure(std::string_view kind, std::string what, const fs::path& log, std::size_t offset) {
  const std::string lines = last_lines(log, offset);
  std::string message = fmt::format("{}; \"{}\" ends with\n{}\n", what, log.string(), lines);
  if (says_disk_full(lines))
    return unavailable("disk_full", std::move(message), "free some space there");
  return unavailable(kind, std::move(message), "mend what it names");
}

Error too_slow(std::string what, Patience patience) {
  return unavailable("server_slow", fmt::format("{} within {} s", what, patience.count()),
                     "try again");
}

/// Waits until the server of an earlier time is ready to be joined (true) or gone (false).
Result<bool> settle(const ClusterFolder& cluster, Patience patience) {
  for (const Deadline deadline = after(patience);; std::this_thread::sleep_for(step)) {
    if (is_ready(cluster)) return true;
    if (!anyone_in(cluster.data())) return false;
    if (passed(deadline)) {
      return std::unexpected(
          too_slow(fmt::format("the server in \"{}\" became neither ready nor ended",
                               cluster.root().string()),
                   patience));
    }
  }
}

/// Settings that are Weir's business; the rest is PostgreSQL's, in data/postgresql.conf.
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
  set("recovery_init_sync_method", "syncfs");
  set("log_checkpoints", "off");
  if (!durable) {
    for (const char* name : {"fsync", "synchronous_commit", "full_page_writes"}) set(name, "off");
  }
  return line;
}

/// Who may connect: the cluster's owner and root, told by the kernel, as the superuser.
Result<void> write_access_rules(const ClusterFolder& cluster) {
  if (const auto hba = cluster.write("pg_hba.conf", "local all all peer map=weir\n"); !hba)
    return hba;
  std::string map = fmt::format("weir root {}\n", superuser);
  if (cluster.owner().name != "root")
    map += fmt::format("weir \"{}\" {}\n", cluster.owner().name, superuser);
  return cluster.write("pg_ident.conf", map);
}

/// An old log makes room for a new one.
std::size_t log_size_after_rotation(const fs::path& log) {
  constexpr std::uintmax_t bytes_max = 4 * 1024 * 1024;
  std::error_code missing;
  const auto size = fs::file_size(log, missing);
  if (missing) return 0;
  if (size <= bytes_max) return size;
  fs::rename(log, log.string() + ".old", missing);
  return missing ? size : 0;
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char byte : text) {
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || std::string_view("/._-~").contains(byte);
    plain ? encoded += byte : encoded += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
  }
  return encoded;
}

}  // namespace

std::string server_url(const ClusterFolder& cluster) {
  return fmt::format("postgresql:///postgres?host={}&port=5432&user={}",
                     percent_encoded(cluster.socket().string()), superuser);
}

Result<void> initialise(const ClusterFolder& cluster, const PostgresPrograms& programs,
                        Patience patience, bool durable) {
  for (const Deadline deadline = after(patience); anyone_in(cluster.data());
       std::this_thread::sleep_for(step)) {
    if (passed(deadline)) {
      return std::unexpected(
          too_slow(fmt::format("an earlier initdb in \"{}\" did not end", cluster.root().string()),
                   patience));
    }
  }
  std::error_code why;
  fs::remove_all(cluster.data(), why);
  if (!why) fs::remove(cluster.initdb_log(), why);
  if (why) return std::unexpected(folder_error("clear", cluster.root(), why.value()));

  const Result<int> status = run(
      {.arguments = {programs.initdb(), "-D", cluster.data(), "-U", std::string(superuser), "-A",
                     "peer", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
       .folder = cluster.root(),
       .log = cluster.initdb_log()},
      cluster.owner());
  if (!status) return std::unexpected(status.error());
  if (*status != 0) {
    return std::unexpected(failure(
        "initdb_failed", fmt::format("initdb could not make a database (exit status {})", *status),
        cluster.initdb_log(), 0));
  }
  return cluster.mark_initialised(durable);
}

Result<void> ensure_running(const ClusterFolder& cluster, const PostgresPrograms& programs,
                            Patience patience, bool durable) {
  const Result<bool> joined = settle(cluster, patience);
  if (!joined) return std::unexpected(joined.error());
  if (*joined) return {};

  std::error_code ignored;  // a file that cannot be removed is named by the server itself
  fs::remove(cluster.data() / "postmaster.pid", ignored);
  fs::remove(cluster.socket() / ".s.PGSQL.5432.lock", ignored);
  fs::remove(cluster.socket() / ".s.PGSQL.5432", ignored);
  if (const auto made = cluster.make_socket_folder(); !made) return made;
  if (const auto written = write_access_rules(cluster); !written) return written;

  const std::size_t log_before = log_size_after_rotation(cluster.log());
  const auto ended = [&] {
    return std::unexpected(failure("server_failed", "the private PostgreSQL did not start",
                                   cluster.log(), log_before));
  };
  const auto server = start_detached({.arguments = command_line(cluster, programs, durable),
                                      .folder = cluster.root(),
                                      .log = cluster.log()},
                                     cluster.owner());
  if (!server && server.error().code == ErrorCode::not_found) return ended();
  if (!server) return std::unexpected(server.error());
  for (const Deadline deadline = after(patience); !is_ready(cluster); server->wait(step)) {
    if (server->ended()) return ended();
    if (passed(deadline)) {  // it may be at work on a long recovery: let it, the next one joins it
      return std::unexpected(too_slow("the private PostgreSQL did not become ready", patience));
    }
  }
  return {};
}

void stop(const ClusterFolder& cluster, Patience patience) noexcept {
  const auto found = read_pid_file(cluster);
  if (!found) return;
  const auto server = ProcessHandle::open(found->pid);
  std::error_code gone;
  // Held first and looked at then: the pid of a server that ended may be anybody's.
  if (!server ||
      !stands_in("/proc/" + std::to_string(found->pid), fs::canonical(cluster.data(), gone))) {
    return;
  }
  server->signal(SIGINT);  // PostgreSQL's "fast": no waiting for clients, a checkpoint, the end
  server->wait(patience);
  if (cluster.socket().parent_path() != cluster.root()) fs::remove(cluster.socket(), gone);
}

}  // namespace weir::local
