// A database that takes what it is sent and gives no answer, as when the network or the server
// hangs; and one that goes away at a bad moment.
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>

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
  CHECK(serve.logs("a call to the database has had no answer for 1."));
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
  CHECK(serve.process->wait() == 0);
}

TEST_CASE_FIXTURE(EmptyDatabase, "a command says that it waits for the database") {
  RelayedServe serve("lease: 30s");
  serve.relay.set(Relay::State::silent);
  const TemporaryFolder folder;
  Running list(WEIR_PROGRAM, {"runs", "list", "--config", (serve.folder.path() / "flows.yaml")},
               folder.path(), folder.path() / "log");
  CHECK(eventually([&] {
    std::ifstream file(folder.path() / "log");
    return std::string(std::istreambuf_iterator<char>(file), {})
        .contains("the database has not answered for 3 s: still waiting");
  }));
  serve.relay.set(Relay::State::open);
  CHECK(list.wait() == 0);
}

TEST_SUITE_END();
