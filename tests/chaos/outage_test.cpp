// What the database's bad hours may not cost: crashes, outages longer than a lease, and a server that
// is silent. Every worker lives all the time, so nothing of it counts as lost, and its steps run on.
// Leases are long, and lapse by hand, so that a machine that freezes loses none; they lapse by
// themselves in outages of WEIR_OUTAGE_SECONDS (script/chaos).
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include "chaos/load.hpp"
#include "chaos/serve_process.hpp"
#include "client/client.hpp"
#include "store/local/local_postgres.hpp"
#include "store/local/postmaster.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"
#include "unit/store_local/project_folder.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// How long an outage lasts; 0: until every `weir serve` has noticed it, and leases lapse by hand.
std::chrono::seconds outage() { return std::chrono::seconds(setting("WEIR_OUTAGE_SECONDS", 0)); }

std::chrono::seconds lease() {
  return outage() > 0s ? std::min<std::chrono::seconds>(15s, outage() / 3) : 15s;
}

/// `weir serve`, several times, on a PostgreSQL of its own, with steps that run until a file exists.
class Outages {
 public:
  explicit Outages(std::size_t serves) {
    start_server();
    for (std::size_t i = 0; i < serves; ++i) {
      const auto folder = project_.path() / fmt::format("serve{}", i);
      std::filesystem::create_directory(folder);
      write_serve_config(folder, {.database = url_,
                                  .plugins = std::filesystem::path(EDGES).parent_path(),
                                  .lease = lease()});
      serves_.emplace_back(folder);
      REQUIRE(eventually([&] { return log(i).contains("serves 5 flows"); }));
    }
  }
  ~Outages() { end_steps(); }

  std::string value(const std::string& query) const { return AdminSession(url_).run(query).at(0); }
  bool value_is(const std::string& expected, const std::string& query) const {
    return eventually([&] {
      try {
        return value(query) == expected;
      } catch (const std::exception&) {  // it is away
        return false;
      }
    });
  }

  /// Starts runs of one step, which goes on until end_steps(). Returns once all of them run.
  void start_steps(std::size_t count) {
    REQUIRE(client().start_many("held", std::vector<Json>(count, Json::string(file().string()))));
    started_ += count;
    REQUIRE(value_is(std::to_string(started_),
                     "select count(*) from weir.open_run where worker_id is not null"));
  }
  void end_steps() const { std::ofstream(file()) << "now"; }

  void start_server() {
    auto server = LocalPostgres::open(project_.weir());
    REQUIRE_MESSAGE(server.has_value(), to_string(server.error()));
    server_.emplace(*std::move(server));
    url_ = server_->url();
  }
  void stop_server() { server_.reset(); }
  void crash_server() {
    signal(SIGKILL, local::read_pid_file(data())->pid);
    REQUIRE(eventually([&] { return !local::any_process_in(data()); }));
    server_.reset();
  }
  /// Nothing answers any more, and no connection breaks: as behind a network that swallows all.
  void silence_server(int signal_number) const {
    for (const pid_t process : local::processes_in(data())) signal(signal_number, process);
  }

  /// Makes an outage with `begin`, and returns when the leases have lapsed in it. Every log tells of
  /// it with `told`.
  template <class Begin>
  void outlast_leases(Begin begin, std::string_view told) const {
    // Of one that has not heard of the end of the last outage there is nothing to tell.
    for (std::size_t i = 0; i < serves_.size(); ++i)
      REQUIRE(eventually([&] {
        const std::string text = log(i);
        const auto away = text.rfind("the database does not answer, retrying");
        const auto back = text.rfind("the database answers again");
        return away == std::string::npos || (back != std::string::npos && back > away);
      }));
    if (outage() > 0s) {
      begin();
      std::this_thread::sleep_for(outage());
      return;
    }
    // The workers stand still, outside of any transaction, until the database is away.
    const auto pids = AdminSession(url_).run("select pid from weir.workers where alive");
    const auto signal_workers = [&](int number) {
      for (const std::string& pid : pids) signal(number, std::stoi(pid));
    };
    REQUIRE(eventually([&] {
      signal_workers(SIGSTOP);
      if (value("select count(*) from pg_stat_activity where backend_type = 'client backend' "
                "and state <> 'idle' and pid <> pg_backend_pid()") == "0")
        return true;
      signal_workers(SIGCONT);
      return false;
    }));
    value(
        "update weir.worker set lease_until = clock_timestamp() - interval '1 min' "
        "where ended_at is null returning 1");
    value("update weir.uptime set swept_at = clock_timestamp() - interval '1 min' returning 1");
    std::vector<std::size_t> lengths;
    for (std::size_t i = 0; i < serves_.size(); ++i) lengths.push_back(log(i).size());
    begin();
    signal_workers(SIGCONT);
    for (std::size_t i = 0; i < serves_.size(); ++i)
      REQUIRE(eventually([&] { return log(i).find(told, lengths[i]) != std::string::npos; }));
  }

  /// How long a run takes from its start to its end, which is begun while nothing works yet.
  std::chrono::milliseconds back_to_work() const {
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(eventually([&] {
      auto client = Client::connect(url_);
      return client && client->start("small_flow", Json(), {.idempotency_key = "back"});
    }));
    CHECK(value_is("0",
                   "select count(*) from weir.runs where flow = 'small_flow' and status <> "
                   "'completed'"));
    value("delete from weir.idempotency returning 1");
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin);
  }

  /// Every run ends well, and no attempt of it was charged or lost.
  void check_nothing_charged() {
    end_steps();
    CHECK(value_is("0", "select count(*) from weir.open_run"));
    CHECK(value("select count(*) from weir.runs where status = 'completed' and flow = 'held'") ==
          std::to_string(started_));
    CHECK(value("select count(*) from weir.attempts where outcome = 'lost'") == "0");
    CHECK(value("select coalesce(string_agg(distinct outcome, ','), '') from weir.attempts") ==
          "completed");
  }
  std::string workers() const { return value("select count(*) from weir.workers"); }

  std::string log(std::size_t i) const {
    std::ifstream in(project_.path() / fmt::format("serve{}/serve.log", i));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t log_lines() const {
    std::size_t lines = 0;
    for (std::size_t i = 0; i < serves_.size(); ++i) {
      const std::string text = log(i);
      lines += static_cast<std::size_t>(std::ranges::count(text, '\n'));
    }
    return lines;
  }

 private:
  Client client() const { return Client::connect(url_).value(); }
  std::filesystem::path file() const { return project_.path() / "now"; }
  std::filesystem::path data() const { return project_.data(); }
  static void signal(int number, pid_t process) { ::kill(process, number); }

  ProjectFolder project_;
  std::optional<LocalPostgres> server_;
  std::string url_;
  std::size_t started_ = 0;
  std::vector<ServeProcess> serves_;
};

}  // namespace

TEST_SUITE_BEGIN("chaos: outages of the database");

TEST_CASE("F11: crashes of PostgreSQL charge nothing and steps run on through all of them") {
  Outages outages(1);
  outages.start_steps(1);
  for (int crash = 0; crash < 6; ++crash) {
    outages.start_steps(1);  // its claim, which waits for no disk, may be lost
    outages.crash_server();
    std::this_thread::sleep_for(400ms);
    outages.start_server();
    MESSAGE("back at work " << outages.back_to_work().count() << " ms after a crash");
  }
  outages.check_nothing_charged();
  CHECK(outages.workers() == "1");  // it went on with what it held
  MESSAGE(outages.log_lines() << " lines in the log");
  INFO(outages.log(0));
  CHECK_FALSE(outages.log(0).contains("lost its lease"));
}

TEST_CASE(
    "F11, L1: an outage longer than the lease charges nothing and no worker is declared dead") {
  Outages outages(2);
  outages.start_steps(8);
  const std::size_t lines = outages.log_lines();
  for (int times = 0; times < 2; ++times) {
    outages.outlast_leases([&] { outages.stop_server(); },
                           "the database does not answer, retrying");
    outages.start_server();
    MESSAGE("back at work " << outages.back_to_work().count() << " ms after an outage");
  }
  MESSAGE((outages.log_lines() - lines) << " lines in the logs");
  outages.check_nothing_charged();
  CHECK(outages.workers() == "2");
}

TEST_CASE("F11, L1: a server that is silent for longer than the lease charges nothing") {
  Outages outages(2);
  outages.start_steps(8);
  outages.outlast_leases([&] { outages.silence_server(SIGSTOP); },
                         "a call to the database has had no answer");
  outages.silence_server(SIGCONT);
  MESSAGE("back at work " << outages.back_to_work().count() << " ms after the silence");
  outages.check_nothing_charged();
  CHECK(outages.workers() == "2");
}

TEST_SUITE_END();
