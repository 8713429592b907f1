// A database that takes what it is sent and gives no answer, as when the network or the server
// hangs; and one that goes away at a bad moment.
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "chaos/serve_process.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/program.hpp"
#include "support/relay.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

// `weir serve` with the steps of until.cpp, by way of a relay.
struct RelayedServe {
  explicit RelayedServe(const std::string& worker) {
    std::ofstream(folder.path() / "flows.yaml") << fmt::format(
        "database: \"{}\"\nplugins: {{folders: [{}]}}\nworker: {{{}}}\n"
        "supervisor: {{max_restarts: 100}}\n",
        relay.url(), std::filesystem::path(UNTIL).parent_path().string(), worker);
    process.emplace(WEIR_PROGRAM, std::vector<std::string>{"serve"}, folder.path(),
                    folder.path() / "serve.log");
    REQUIRE(eventually([&] { return log().contains("serves 4 flows"); }));
  }
  std::string log() const {
    std::ifstream file(folder.path() / "serve.log");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool logs(std::string_view text) const {
    const bool found = eventually([&] { return log().contains(text); });
    if (!found) MESSAGE(log().substr(0, 4'000));
    return found;
  }

  TemporaryFolder folder;
  Relay relay{database()};
  std::optional<Running> process;
};

double seconds_since(steady_clock::time_point then) {
  return std::chrono::duration<double>(steady_clock::now() - then).count();
}

}  // namespace

TEST_SUITE_BEGIN("chaos: silence");

TEST_CASE_FIXTURE(EmptyDatabase, "L5: serve ends after a signal though the database is silent") {
  RelayedServe serve("drain_timeout: 1s, lease: 30s");
  serve.relay.set(Relay::State::silent);
  const auto before = steady_clock::now();
  serve.process->signal(SIGTERM);
  CHECK(serve.process->wait() == 1);
  MESSAGE(fmt::format("ended after {:.1f} s", seconds_since(before)));
  CHECK(serve.log().contains("has not stopped in time"));
}

TEST_CASE_FIXTURE(EmptyDatabase, "L5: serve ends after a signal before the database has answered") {
  const TemporaryFolder folder;
  Relay relay(database());
  relay.set(Relay::State::silent);
  std::ofstream(folder.path() / "flows.yaml")
      << fmt::format("database: \"{}\"\nplugins: {{folders: [{}]}}\n", relay.url(),
                     std::filesystem::path(UNTIL).parent_path().string());
  Running serve(WEIR_PROGRAM, {"serve"}, folder.path(), folder.path() / "serve.log");
  REQUIRE(eventually([&] { return relay.connections() > 0; }));
  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
  std::ifstream log(folder.path() / "serve.log");
  CHECK(std::string(std::istreambuf_iterator<char>(log), {})
            .contains("stopped while it looked at the schema"));
}

TEST_CASE_FIXTURE(EmptyDatabase, "L6: serve tells of its first call in the log, in its format") {
  const TemporaryFolder folder;
  Relay relay(database());
  relay.set(Relay::State::silent);
  std::ofstream(folder.path() / "flows.yaml") << fmt::format(
      "database: \"{}\"\nplugins: {{folders: [{}]}}\nworker: {{lease: 3s}}\nlog: {{format: "
      "json}}\n",
      relay.url(), std::filesystem::path(UNTIL).parent_path().string());
  Running serve(WEIR_PROGRAM, {"serve"}, folder.path(), folder.path() / "serve.log");
  const auto log = [&] {
    std::ifstream file(folder.path() / "serve.log");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  CHECK(eventually([&] { return log().contains("answer"); }));
  relay.set(Relay::State::open);
  CHECK(eventually([&] { return log().contains("serves 4 flows"); }));
  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
  CHECK(log().contains("a call to the database has had no answer for "));
  std::istringstream lines(log());
  for (std::string line; std::getline(lines, line);) CHECK(line.starts_with(R"({"time":)"));
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L5: a process drains at once though the crash of another cannot be reported") {
  RelayedServe serve("drain_timeout: 1s, lease: 30s");
  TestClient client;
  const auto until = Json::object(std::vector<std::pair<std::string, Json>>{
      {"file", Json::string((serve.folder.path() / "now").string())}});
  CHECK(client_on(client.store()).start_many("sleeper", {until}).has_value());
  const auto eventually_is = [](const std::string& query, const std::string& value) {
    return eventually([&] { return query_value(query) == value; });
  };
  REQUIRE(eventually_is("select count(*) from weir.attempts where outcome = 'running'", "1"));
  const auto kill_one = [](const std::string& condition) {
    const std::string pid = query_value("select max(pid) from weir.workers where " + condition);
    ::kill(std::stoi(pid), SIGKILL);
    return pid;
  };
  const std::string first = kill_one("alive");
  // One holds the trial of the suspect, one serves.
  REQUIRE(eventually_is("select count(*) from weir.workers where alive and pid <> " + first, "2"));
  serve.relay.set(Relay::State::silent);
  const std::size_t before = serve.relay.connections();
  kill_one("alive and pid <> " + first);
  REQUIRE(eventually([&] { return serve.relay.connections() > before; }));  // it is to be reported
  serve.process->signal(SIGTERM);
  CHECK(serve.process->wait() == 1);
  const std::string log = serve.log();
  INFO(log);
  const std::size_t drains = log.find("draining: running steps may finish");
  const std::size_t gives_up = log.find("stopped before the database has taken the report");
  CHECK(gives_up != std::string::npos);
  CHECK(drains < gives_up);
}

TEST_CASE_FIXTURE(EmptyDatabase, "L5: serve stops as usual when the database is cut off") {
  RelayedServe serve("drain_timeout: 1s, lease: 30s");
  serve.relay.set(Relay::State::cut);
  REQUIRE(serve.logs("the database does not answer, retrying"));
  const auto before = steady_clock::now();
  serve.process->signal(SIGTERM);
  serve.process->wait();
  MESSAGE(fmt::format("ended after {:.1f} s", seconds_since(before)));
  CHECK_FALSE(serve.log().contains("has not stopped in time"));
}

TEST_CASE_FIXTURE(EmptyDatabase, "L6: a call that gets no answer is told while it lasts") {
  RelayedServe serve("lease: 3s");
  serve.relay.set(Relay::State::silent);
  CHECK(serve.logs("a call to the database has had no answer for "));
  serve.relay.set(Relay::State::open);
  CHECK(serve.logs("a call to the database is over after "));
  TestClient client;
  CHECK(client.run("quick", "null").summary.status == "completed");
}

TEST_CASE_FIXTURE(EmptyDatabase, "L6: the log says when the database is back") {
  RelayedServe serve("lease: 30s");
  serve.relay.set(Relay::State::cut);
  REQUIRE(serve.logs("the database does not answer, retrying"));
  serve.relay.set(Relay::State::open);
  CHECK(serve.logs("the database answers again after "));
  TestClient client;
  CHECK(client.run("quick", "null").summary.status == "completed");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L6: serve waits for a database that goes away with its worker process") {
  RelayedServe serve("lease: 3s");
  for (int time = 0; time < 5; ++time) {
    const auto pid = std::stoi(query_value("select max(pid) from weir.workers where alive"));
    ::kill(pid, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(40 * time));
    serve.relay.set(Relay::State::cut);
    std::this_thread::sleep_for(1s);
    serve.relay.set(Relay::State::open);
    TestClient client;
    CHECK(client.run("quick", "null").summary.status == "completed");
    REQUIRE(eventually([&] {
      return query_value("select count(*) from weir.workers where alive and pid <> " +
                         std::to_string(pid)) != "0";
    }));
  }
  serve.process->signal(SIGTERM);
  const int status = serve.process->wait();
  INFO(serve.log());
  CHECK(status == 0);
}

TEST_CASE_FIXTURE(EmptyDatabase, "a command says that it waits for the database") {
  RelayedServe serve("lease: 30s");
  serve.relay.set(Relay::State::silent);
  const TemporaryFolder folder;
  Running list(WEIR_PROGRAM, {"runs", "list", "--config", (serve.folder.path() / "flows.yaml")},
               folder.path(), folder.path() / "log");
  CHECK(eventually([&] {
    std::ifstream file(folder.path() / "log");
    const std::string said(std::istreambuf_iterator<char>(file), {});
    return said.contains("the database has not answered for ") &&
           said.contains(" s: still waiting");
  }));
  serve.relay.set(Relay::State::open);
  CHECK(list.wait() == 0);
}

TEST_SUITE_END();
