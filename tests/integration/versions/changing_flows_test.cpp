// A worker whose flows change while it runs them.
#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "integration/versions/changing_worker.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("worker: changing flows");

TEST_CASE_FIXTURE(EmptyDatabase, "a worker without any flow waits for one and serves it at once") {
  ChangingWorker worker;
  TestClient client;
  REQUIRE(eventually([&] { return client.store().workers_alive() == 1; }));
  const TestFlow flow("late", {{"s", returns("1")}});
  const auto before = std::chrono::steady_clock::now();
  worker.publish(flow.module());
  REQUIRE(eventually([&] { return client.store().flow("late", {}).has_value(); }));
  CHECK(client.run("late", "null").summary.status == "completed");
  CHECK(std::chrono::steady_clock::now() - before < 5s);  // a machine may stand still
  CHECK(query_value("select count(*) from weir.workers") == "1");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "V2: new runs begin with the new version while open ones finish on the old") {
  ChangingWorker worker;
  TestClient client;
  Gate gate;
  const TestFlow old = version(1, gate.handler("\"old\""));
  const TestFlow fresh = version(2, returns("\"new\""));
  worker.publish(from_file(old, 'a'));
  worker.wait_for_versions("changing", 1);
  const std::string first = client.start("changing", "null");
  REQUIRE(eventually([&] { return gate.begun == 1; }));

  const auto before = std::chrono::steady_clock::now();
  worker.publish(from_file(fresh, 'b'));
  worker.wait_for_versions("changing", 2);
  const RunReport second = client.run("changing", "null");
  CHECK(std::chrono::steady_clock::now() - before < 5s);  // a machine may stand still
  CHECK(second.summary.version == 2);
  CHECK(second.output->text() == R"({"s": "new"})");
  gate.open = true;
  const RunReport ended = client.wait(first);
  CHECK(ended.summary.version == 1);
  CHECK(ended.output->text() == R"({"s": "old"})");
  CHECK(query_value("select string_agg(left(plugin_sha256, 1), '' order by started_at) "
                    "from weir.attempts") == "ab");
  CHECK(query_value("select count(*) from weir.workers") == "1");
}

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "V2: open runs of the old version that no worker holds are claimed for the old code") {
  ChangingWorker worker;
  TestClient client;
  Gate gate;
  const TestFlow old = version(1, gate.handler("\"old\""));
  const TestFlow fresh = version(2, returns("\"new\""));
  worker.publish(old.module());
  worker.wait_for_versions("changing", 1);
  const auto started = client_on(client.store()).start_many("changing", std::vector<Json>(40));
  REQUIRE(started.has_value());
  worker.publish(fresh.module());
  worker.wait_for_versions("changing", 2);
  gate.open = true;
  for (const StartedRun& run : *started)
    CHECK(client.wait(run.id).output->text() == R"({"s": "old"})");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "V1: an attempt names the plugin that ran it though its code was replaced") {
  ChangingWorker worker;
  TestClient client;
  Gate gate;
  const TestFlow first("steady", {{"s", gate.handler("1")}, {"t", returns("\"first\""), {"s"}}});
  const TestFlow again("steady", {{"s", returns("1")}, {"t", returns("\"again\""), {"s"}}});
  worker.publish(from_file(first, 'a'));
  worker.wait_for_versions("steady", 1);
  const std::string id = client.start("steady", "null");
  REQUIRE(eventually([&] { return gate.begun == 1; }));
  CHECK(query_value("select left(plugin_sha256, 1) from weir.attempts") == "a");
  worker.replace(from_file(again, 'b'));
  REQUIRE(eventually(
      [&] { return query_value("select left(plugins[1], 1) from weir.versions") == "b"; }));
  gate.open = true;
  CHECK(client.wait(id).output->text() == R"({"t": "first"})");
  CHECK(client.run("steady", "null").output->text() == R"({"t": "again"})");
  CHECK(query_value("select string_agg(left(plugin_sha256, 1), '' order by started_at) "
                    "from weir.attempts") == "aabb");
  CHECK(query_value("select max(version) from weir.versions") == "1");
}

TEST_CASE_FIXTURE(EmptyDatabase, "D7: publishing the same definition again makes no new version") {
  ChangingWorker worker;
  const TestFlow flow = version(1, returns("1"));
  worker.publish(from_file(flow, 'a'));
  worker.wait_for_versions("changing", 1);
  worker.publish(from_file(flow, 'b'));
  REQUIRE(eventually(
      [&] { return query_value("select left(plugins[1], 1) from weir.versions") == "b"; }));
  CHECK(query_value("select count(*) from weir.versions") == "1");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "V2: a run in hand ends with its code though its flow was removed") {
  ChangingWorker worker;
  TestClient client;
  Gate gate;
  auto code = std::make_shared<int>();
  const std::weak_ptr<int> mapped = code;
  const TestFlow flow = version(1, gate.handler("1"));
  worker.publish(from_file(flow, 'a', std::move(code)));
  worker.wait_for_versions("changing", 1);
  const std::string id = client.start("changing", "null");
  REQUIRE(eventually([&] { return gate.begun == 1; }));
  worker.unregister(flow);
  worker.wait_for_versions("changing", 0);
  CHECK_FALSE(mapped.expired());
  const std::string waits = client.start("changing", "null");
  gate.open = true;
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(eventually([&] { return mapped.expired(); }));
  CHECK(client.store().summary(waits)->status == "queued");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "D1: a flow that the database refuses is left out and the others are served") {
  {
    const TestFlow taken("Totals", {{"s", returns("1")}});
    const RunningWorker other({&taken});
  }
  ChangingWorker worker;
  TestClient client;
  const TestFlow refused("totals", {{"s", returns("1")}});
  const TestFlow fine("fine", {{"s", returns("1")}});
  worker.publish(refused.module());
  worker.publish(fine.module());
  worker.wait_for_versions("fine", 1);
  CHECK(client.run("fine", "null").summary.status == "completed");
  CHECK_FALSE(client.store().flow("totals", {}).has_value());
}

TEST_CASE_FIXTURE(EmptyDatabase, "workers stand under the flows that they serve just now") {
  ChangingWorker worker;
  const TestFlow orders("orders", {{"s", returns("1")}});
  const TestFlow mails("mails", {{"s", returns("1")}});
  worker.publish(orders.module());
  REQUIRE(eventually([&] { return worker.flow_workers().serving("orders").size() == 1; }));
  worker.publish(mails.module());
  REQUIRE(eventually([&] { return worker.flow_workers().serving("mails").size() == 1; }));
  worker.unregister(orders);
  CHECK(eventually([&] { return worker.flow_workers().serving("orders").empty(); }));
  CHECK(worker.flow_workers().serving("mails").size() == 1);
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "V3: where the configuration says adopt open runs go on with the new version") {
  WorkerOptions options = RunningWorker::quick();
  options.adopting = {"changing"};
  ChangingWorker worker(options);
  TestClient client;
  const TestFlow old("changing", {{"s", returns("\"old\""), {}, "single", {.max_attempts = 1}}});
  const TestFlow fresh("changing", {{"s", returns("\"new\""), {}, "single", {.max_attempts = 2}}});
  worker.publish(old.module());
  worker.wait_for_versions("changing", 1);
  const std::string id = client.start("changing", "null", {.delay = 2s});
  worker.publish(fresh.module());
  worker.wait_for_versions("changing", 2);
  CHECK(client.store().summary(id)->version == 2);
  CHECK(client.wait(id).output->text() == R"({"s": "new"})");
}

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "F1: runs of a plugin in quarantine wait uncharged and go on when it is released") {
  const auto quarantine = std::make_shared<Quarantine>(
      Quarantine::Limit{.max_crashes = 0, .window = 60s, .first = 1'500ms, .longest = 60s});
  WorkerOptions options = RunningWorker::quick();
  options.quarantine = quarantine;
  ChangingWorker worker(options);
  TestClient client;
  Gate gate;
  const TestFlow bad("bad", {{"s", gate.handler("1")}, {"t", returns("2"), {"s"}}});
  const TestFlow good("good", {{"s", returns("1")}});
  worker.publish(from_file(bad, 'a'));
  worker.publish(from_file(good, 'b'));
  worker.wait_for_versions("bad", 1);
  worker.wait_for_versions("good", 1);
  const std::string in_hand = client.start("bad", "null");
  REQUIRE(eventually([&] { return gate.begun == 1; }));

  REQUIRE(quarantine->crashed(std::string(64, 'a'), std::chrono::steady_clock::now()).has_value());
  worker.flow_workers().wake_all();
  worker.wait_for_versions("bad", 0);
  const std::string waits = client.start("bad", "null");
  gate.open = true;
  // What ran may end; what comes after it waits, given back.
  REQUIRE(eventually([&] {
    return query_value("select count(*) from weir.open_run where worker_id is null") == "2";
  }));
  CHECK(query_value("select count(*) from weir.attempts") == "1");
  CHECK(client.run("good", "null").summary.status == "completed");
  CHECK(client.wait(in_hand).summary.status == "completed");
  CHECK(client.wait(waits).summary.status == "completed");
  CHECK(query_value("select max(attempt) from weir.attempts") == "1");
}

TEST_SUITE_END();
