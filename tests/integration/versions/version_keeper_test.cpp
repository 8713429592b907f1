// How old code goes when the last run that needs it is over.
#include "serve/version_keeper.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <weir/supervisor.hpp>

#include "integration/versions/changing_worker.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "support/log_lines.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// A keeper with short intervals.
class Keeper {
 public:
  explicit Keeper(ChangingWorker& worker, std::shared_ptr<PluginBoard> board = {},
                  std::shared_ptr<const Quarantine> quarantine = {}) {
    const auto open = [](StoreUse use) {
      return postgres::open_worker_store(database(),
                                         {.connects_now = false, .listens = use.listens});
    };
    auto started = Supervisor::start(
        {.name = "test"},
        {version_keeper(worker.registry(), open,
                        {.board = std::move(board),
                         .quarantine = std::move(quarantine),
                         .flow_workers = worker.shared_flow_workers()},
                        lines_.log(), {.check = 5ms, .query = 20ms, .report = 60s})});
    REQUIRE_MESSAGE(started.has_value(), to_string(started.error()));
    supervisor_ = *std::move(started);
  }
  void stop() {
    supervisor_->request_stop();
    CHECK(supervisor_->wait().has_value());
  }
  std::string log() const { return lines_.text(); }

 private:
  LogLines lines_;
  std::unique_ptr<Supervisor> supervisor_;
};

std::string state_of(int number) {
  return query_value(
      "select concat_ws(' ', max(open_runs), bool_or(takes_starts), bool_or(safe_to_remove)) "
      "from weir.versions where version = " +
      std::to_string(number));
}

}  // namespace

TEST_SUITE_BEGIN("supervisor: versions that go");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "V2: the code of a version stays until its last open run is over and then goes") {
  ChangingWorker worker;
  Keeper keeper(worker);
  TestClient client;
  Gate gate;
  auto code = std::make_shared<int>();
  const std::weak_ptr<int> mapped = code;
  const TestFlow old = version(1, gate.handler("1"));
  const TestFlow fresh = version(2, returns("2"));
  worker.publish(from_file(old, 'a', std::move(code)));
  worker.wait_for_versions("changing", 1);
  const auto started = client_on(client.store()).start_many("changing", std::vector<Json>(3));
  REQUIRE(started.has_value());
  worker.publish(from_file(fresh, 'b'));
  worker.wait_for_versions("changing", 2);
  CHECK(client.run("changing", "null").summary.version == 2);
  CHECK(state_of(1) == "3 f f");
  CHECK(state_of(2) == "0 t f");
  CHECK_FALSE(mapped.expired());
  gate.open = true;
  for (const StartedRun& run : *started) CHECK(client.wait(run.id).summary.version == 1);
  CHECK(state_of(1) == "0 f t");
  CHECK(eventually([&] { return mapped.expired(); }));
  CHECK(
      eventually([&] { return worker.registry().versions(*Slug::parse("changing")).size() == 1; }));
  worker.wait_for_versions("changing", 1);
  CHECK(client.run("changing", "null").summary.version == 2);
  keeper.stop();
  CHECK(keeper.log().contains("flow changing: version 1 has no open run left: it is retired"));
}

TEST_CASE_FIXTURE(EmptyDatabase, "V2: a former version that never had a run goes") {
  ChangingWorker worker;
  const Keeper keeper(worker);
  auto code = std::make_shared<int>();
  const std::weak_ptr<int> mapped = code;
  const TestFlow old = version(1, returns("1"));
  const TestFlow fresh = version(2, returns("2"));
  worker.publish(from_file(old, 'a', std::move(code)));
  worker.wait_for_versions("changing", 1);
  worker.publish(from_file(fresh, 'b'));
  CHECK(eventually([&] { return mapped.expired(); }));
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "V5: after a rollback new runs take the former version and the newer one goes") {
  ChangingWorker worker;
  Keeper keeper(worker);
  TestClient client;
  Gate gate;
  const TestFlow old = version(1, returns("\"old\""));
  const TestFlow fresh = version(2, gate.handler("\"new\""));
  worker.publish(from_file(old, 'a'));
  worker.wait_for_versions("changing", 1);
  worker.publish(from_file(fresh, 'b'));
  REQUIRE(eventually([&] { return state_of(2) == "0 t f"; }));
  const auto started = client_on(client.store()).start_many("changing", std::vector<Json>(1));
  REQUIRE(started.has_value());
  worker.publish(from_file(old, 'a'));  // back again
  REQUIRE(eventually([&] { return state_of(1) == "0 t f"; }));
  CHECK(state_of(2) == "1 f f");
  CHECK(client.run("changing", "null").output->text() == R"({"s": "old"})");
  gate.open = true;
  CHECK(client.wait(started->front().id).output->text() == R"({"s": "new"})");
  worker.wait_for_versions("changing", 1);
  CHECK(state_of(2) == "0 f t");
  CHECK(client.run("changing", "null").output->text() == R"({"s": "old"})");
  keeper.stop();
  CHECK(keeper.log().contains("flow changing: version 2 has no open run left: it is retired"));
}

TEST_CASE_FIXTURE(EmptyDatabase, "V5: a process without the flow of a run that waits says so") {
  ChangingWorker worker;
  TestClient client;
  const TestFlow flow = version(1, returns("1"));
  worker.publish(from_file(flow, 'a'));
  worker.wait_for_versions("changing", 1);
  worker.unregister(flow);
  worker.wait_for_versions("changing", 0);
  REQUIRE(client_on(client.store()).start_many("changing", std::vector<Json>(2)).has_value());
  Keeper keeper(worker);  // of a process with an empty registry
  CHECK(eventually([&] {
    return keeper.log().contains(
        "flow changing: 2 open runs and new ones wait for version 1, which no live worker has "
        "(start weir serve with its plugin)");
  }));
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "V5: a process with an older version says which one new runs take") {
  ChangingWorker worker;
  const TestFlow old = version(1, returns("1"));
  const TestFlow fresh = version(2, returns("2"));
  worker.publish(from_file(old, 'a'));
  worker.wait_for_versions("changing", 1);
  ChangingWorker other;
  other.publish(from_file(fresh, 'b'));
  REQUIRE(eventually([&] { return state_of(2) == "0 t f"; }));
  Keeper keeper(worker);
  CHECK(eventually([&] {
    return keeper.log().contains(
        "flow changing: new runs take version 2; this process has version 1");
  }));
}

TEST_CASE_FIXTURE(EmptyDatabase, "what stands on the board is told and ends with the keeper") {
  ChangingWorker worker;
  const auto board = std::make_shared<PluginBoard>();
  board->put({.file = {.path = "/p/a.so", .sha256 = std::string(64, 'a')},
              .name = "a",
              .version = "1.0",
              .flows = {"x", "y"}});
  Keeper keeper(worker, board);
  const auto reported = [] {
    return query_value(
        "select coalesce(string_agg(concat_ws(' ', path, plugin, version, "
        "nullif(array_to_string(flows, ','), ''), state, kind), '; ' order by path), '') from "
        "weir.plugins");
  };
  CHECK(eventually([&] { return reported() == "/p/a.so a 1.0 x,y live"; }));
  PluginError refusal;
  refusal.kind = PluginFault::truncated;
  board->put(
      {.file = {.path = "/p/b.so"}, .state = PluginState::refused, .error = std::move(refusal)});
  CHECK(eventually(
      [&] { return reported() == "/p/a.so a 1.0 x,y live; /p/b.so refused truncated"; }));
  keeper.stop();
  CHECK(reported().empty());
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "A5: deferred calls that keep replaced code loaded are counted and told") {
  std::atomic<int> deferred = 0;
  std::mutex mutex;
  std::vector<TestCall> calls;
  const TestFlow flow("waits", {{"s",
                                 [&](TestCall& call) {
                                   const std::lock_guard lock(mutex);
                                   calls.push_back(*call.deferred());
                                   ++deferred;
                                   return std::int32_t{WEIR_PENDING};
                                 },
                                 {},
                                 "map"}});
  ChangingWorker worker;
  worker.publish(from_file(flow, 'a'));
  const auto board = std::make_shared<PluginBoard>();
  const PluginFile old{.path = "/p/a.so", .sha256 = std::string(64, 'a')};
  board->put({.file = old});
  const Keeper keeper(worker, board);
  worker.wait_for_versions("waits", 1);
  const auto pending = [] { return query_value("select max(pending_calls) from weir.plugins"); };
  TestClient client;
  client.start("waits", "[1, 2, 3]");
  REQUIRE(eventually([&] { return deferred == 3; }));
  CHECK(eventually([&] { return pending() == "0"; }));  // of live ones they are not counted

  worker.unregister(flow);
  board->put({.file = old, .state = PluginState::former});
  CHECK(eventually([&] { return pending() == "3"; }));
  CHECK(keeper.log().contains("/p/a.so (sha256 " + old.sha256 +
                              ") stays loaded: 3 deferred calls are pending\n"));
  CHECK(calls[0].complete(WEIR_FAILED_FOR_GOOD) == WEIR_OK);
  CHECK(eventually([&] { return pending() == "2"; }));
  for (const TestCall& call : calls) call.complete(WEIR_FAILED_FOR_GOOD);
  CHECK(eventually([&] { return pending() == "0"; }));
  const std::string log = keeper.log();
  CHECK(log.find("stays loaded") == log.rfind("stays loaded"));  // once in a minute
}

TEST_CASE_FIXTURE(EmptyDatabase, "a plugin in quarantine is shown as such until it is released") {
  ChangingWorker worker;
  const auto board = std::make_shared<PluginBoard>();
  board->put({.file = {.path = "/p/a.so", .sha256 = std::string(64, 'a')}});
  const auto quarantine = std::make_shared<Quarantine>(
      Quarantine::Limit{.max_crashes = 0, .window = 60s, .first = 1s, .longest = 60s});
  const Keeper keeper(worker, board, quarantine);
  const auto reported = [] {
    return query_value(
        "select string_agg(concat_ws(' ', state, kind, until > now()), '; ') from "
        "weir.plugins");
  };
  CHECK(eventually([&] { return reported() == "live"; }));
  quarantine->crashed(std::string(64, 'a'), std::chrono::steady_clock::now());
  CHECK(eventually([&] { return reported() == "quarantined plugin_quarantined t"; }));
  CHECK(eventually([&] { return reported() == "live"; }));
}

TEST_CASE_FIXTURE(EmptyDatabase, "L6: a keeper without a database says so once and goes on later") {
  ChangingWorker worker;
  const auto board = std::make_shared<PluginBoard>();
  board->put({.file = {.path = "/p/a.so"}});
  std::optional<Keeper> keeper;
  {
    const DatabaseAway away;
    keeper.emplace(worker, board);
    CHECK(eventually([&] { return keeper->log().contains("retrying"); }));
  }
  CHECK(eventually([&] { return query_value("select count(*) from weir.plugins") == "1"; }));
  keeper->stop();
  const std::string log = keeper->log();
  CHECK(log.find("retrying") == log.rfind("retrying"));
}

TEST_SUITE_END();
