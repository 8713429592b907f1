// A standby that takes over from a primary that is gone, and that has not got its last commits.
#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <libpq-fe.h>
#include <unistd.h>

#include "chaos/serve_process.hpp"
#include "client/client.hpp"
#include "store/local/command.hpp"
#include "store/local/identity.hpp"
#include "store/local/postgres_programs.hpp"
#include "store/local/postmaster.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"
#include "unit/store_local/project_folder.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

template <class T>
T made(Result<T> result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
  return *std::move(result);
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A primary and its standby, which has what the primary has committed a moment later.
class ReplicatedPostgres {
 public:
  ReplicatedPostgres() {
    for (const auto& folder : {primary(), standby()}) {
      std::filesystem::create_directories(folder);
      std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
      if (::chown(folder.c_str(), owner_.uid, owner_.gid) != 0)
        throw std::runtime_error("cannot give away " + folder.string());
    }
    run({programs_.initdb(), "-D", primary() / "data", "-U", "weir", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8", "--no-sync"});
    run({"/bin/cp", "-a", primary() / "data", standby() / "data"});
    run({"/bin/sh", "-c",
         fmt::format(R"(cd "$0" && touch standby.signal &&
                        echo "primary_conninfo = 'host={} user=weir'" >> postgresql.auto.conf)",
                     primary().string()),
         standby() / "data"});
    start(primary());
    start(standby());
  }
  ReplicatedPostgres(const ReplicatedPostgres&) = delete;
  ReplicatedPostgres& operator=(const ReplicatedPostgres&) = delete;
  ~ReplicatedPostgres() {
    kill_all(primary());
    kill_all(standby());
  }

  /// Names both; what connects finds the primary.
  std::string url() const {
    return fmt::format(
        "postgresql:///postgres?user=weir&host={},{}&port=5432,5432"
        "&target_session_attrs=read-write",
        primary().string(), standby().string());
  }
  std::string url_of_standby() const { return url_of(standby()); }
  std::string on_primary(const std::string& query) const { return value(primary(), query); }
  std::string on_standby(const std::string& query) const { return value(standby(), query); }

  void wait_for_standby() const {
    const std::string position = on_primary("select pg_current_wal_insert_lsn()");
    REQUIRE(eventually([&] {
      return on_standby("select pg_last_wal_replay_lsn() >= '" + position + "'") == "t";
    }));
  }
  /// From here on the standby gets nothing.
  void separate() const {
    on_standby("alter system set primary_conninfo = ''");
    on_standby("select pg_reload_conf()");
    REQUIRE(
        eventually([&] { return on_standby("select count(*) from pg_stat_wal_receiver") == "0"; }));
  }
  void fail_over() const {
    kill_all(primary());
    REQUIRE(on_standby("select pg_promote()") == "t");
  }

 private:
  std::filesystem::path primary() const { return project_.path() / "1"; }
  std::filesystem::path standby() const { return project_.path() / "2"; }

  void run(std::vector<std::string> arguments) const {
    const auto log = project_.path() / "1" / "setup.log";
    const int status = made(local::run({std::move(arguments), primary(), log}, owner_));
    if (status != 0) throw std::runtime_error(text_of(log));
  }
  void start(const std::filesystem::path& folder) const {
    made(local::start_detached({.arguments = {programs_.postgres(), "-D", folder / "data", "-k",
                                              folder, "-c", "listen_addresses=", "-c", "port=5432",
                                              "-c", "fsync=off", "-c", "shared_buffers=16MB"},
                                .folder = folder,
                                .log = folder / "server.log"},
                               owner_));
    REQUIRE_MESSAGE(eventually([&] { return PQping(url_of(folder).c_str()) == PQPING_OK; }),
                    text_of(folder / "server.log"));
  }
  static void kill_all(const std::filesystem::path& folder) {
    eventually([&] {
      const auto processes = local::processes_in(folder / "data");
      for (const pid_t process : processes) ::kill(process, SIGKILL);
      return processes.empty();
    });
  }
  static std::string url_of(const std::filesystem::path& folder) {
    return fmt::format("postgresql:///postgres?user=weir&port=5432&host={}", folder.string());
  }
  static std::string value(const std::filesystem::path& folder, const std::string& query) {
    const auto values = AdminSession(url_of(folder)).run(query);
    return values.empty() ? std::string() : values.front();
  }

  ProjectFolder project_;
  local::PostgresPrograms programs_ = made(local::find_programs({}, {}));
  local::Identity owner_ = made(local::owner_of_new_cluster());
};

struct TwoServes {
  explicit TwoServes(const std::string& url) {
    for (const std::size_t i : {0U, 1U}) {
      std::filesystem::create_directories(at(i));
      write_serve_config(at(i), {.database = url,
                                 .plugins = std::filesystem::path(EDGES).parent_path(),
                                 .lease = 3s,
                                 .drain_timeout = 1s});
      serves.emplace_back(at(i));
      REQUIRE(eventually([&] { return log(i).contains("serves 5 flows"); }));
    }
  }
  std::filesystem::path at(std::size_t i) const {
    return folder.path() / fmt::format("serve{}", i);
  }
  std::string log(std::size_t i) const { return text_of(at(i) / "serve.log"); }
  Json file(const char* name) const { return Json::string((folder.path() / name).string()); }
  void let(const char* name) const { std::ofstream(folder.path() / name) << "go"; }

  TemporaryFolder folder;
  std::vector<ServeProcess> serves;
};

}  // namespace

TEST_SUITE_BEGIN("chaos: failover");

TEST_CASE("F11, L6: a standby that takes over without the last commits charges nothing") {
  const ReplicatedPostgres servers;
  TwoServes serves(servers.url());
  {  // no more than the slots of the worker that stays
    auto client = made(Client::connect(servers.url()));
    made(client.start_many("held", std::vector<Json>(4, serves.file("end"))));
    made(client.start_many("guided", std::vector<Json>(4, serves.file("guide"))));
  }
  REQUIRE(eventually([&] {
    return servers.on_primary(
               "select sum(cardinality(in_flight_run)) from weir.worker "
               "where ended_at is null") == "8";
  }));
  servers.wait_for_standby();
  {  // as when an address leads to the standby before it takes over
    const auto store =
        made(postgres::open_worker_store(servers.url_of_standby(), {.listens = false}));
    const auto joined = store->join({.host = "h", .pid = 1, .slots = 1}, 3s);
    REQUIRE_FALSE(joined.has_value());
    CHECK(joined.error().kind == "read_only");
    CHECK(joined.error().code == ErrorCode::unavailable);
    CHECK(store->sweep().error().kind == "read_only");
  }
  servers.separate();

  // The standby never hears of this: four child runs and their parents end, and a worker leaves
  // which has given back what it held.
  const std::string leaves = servers.on_primary(
      "select min(worker_id) from weir.runs "
      "where flow = 'held' and status = 'running'");
  const std::size_t leaving = serves.log(0).contains("worker " + leaves + " serves") ? 0 : 1;
  serves.let("guide");
  REQUIRE(eventually([&] {
    return servers.on_primary("select count(*) from weir.runs where status = 'completed'") == "8";
  }));
  CHECK(serves.serves[leaving].terminate() == 0);
  REQUIRE(servers.on_primary("select count(*) from weir.workers where alive") == "1");
  REQUIRE(servers.on_standby("select count(*) from weir.open_run") == "8");

  servers.fail_over();
  REQUIRE(eventually([&] {
    return servers.on_standby("select count(*) from weir.runs where status = 'completed'") == "8";
  }));
  serves.let("end");
  CHECK(
      eventually([&] { return servers.on_standby("select count(*) from weir.open_run") == "0"; }));
  INFO(serves.log(1 - leaving));
  CHECK(servers.on_standby("select string_agg(distinct status, ',') from weir.runs") ==
        "completed");
  CHECK(servers.on_standby("select count(*) from weir.runs") == "12");
  CHECK(servers.on_standby("select string_agg(distinct outcome, ',') from weir.attempts") ==
        "completed");
  CHECK(servers.on_standby("select max(attempt) from weir.attempts") == "1");
}

TEST_SUITE_END();
