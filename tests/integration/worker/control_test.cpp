#include <atomic>
#include <mutex>
#include <set>

#include <doctest/doctest.h>

#include "integration/worker/worker_rig.hpp"
#include "worker/run_events.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t for_ever = 30LL * 24 * 3'600'000;

std::int32_t until_stopped(TestCall& call) {
  while (!call.cancelled()) std::this_thread::sleep_for(1ms);
  return WEIR_CANCELLED;
}

bool is_parked() {
  return eventually([] {
    return query_value(
               "select count(*) from weir.open_run where worker_id is null and wake_at is "
               "not null") == "1";
  });
}

}  // namespace

TEST_SUITE_BEGIN("worker: waits");

TEST_CASE_FIXTURE(EmptyDatabase, "C4: a signal ends the wait it is for with its payload") {
  const TestFlow flow(
      "approval", {TestFlow::wait("approved", {}, for_ever),
                   {"ship", [](TestCall& call) { return call.output(call.input); }, {"approved"}}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("approval", "null");
  REQUIRE(is_parked());
  const auto sent = client.store().signal(id, "approved", Json::trusted(R"({"by": "anna"})"));
  REQUIRE_MESSAGE(sent.has_value(), to_string(sent.error()));
  CHECK(*sent);
  const RunReport report = client.wait(id);
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() ==
        R"({"ship": {"approved": {"payload": {"by": "anna"}, "signalled": true}}})");
  CHECK(query_value("select count(*) from weir.journal") == "2");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C4: a signal that comes before its wait begins ends it") {
  std::atomic<bool> go = false;
  const TestFlow flow("early", {{"first",
                                 [&](TestCall& call) {
                                   while (!go) std::this_thread::sleep_for(1ms);
                                   return call.output("1");
                                 }},
                                TestFlow::wait("paid", {"first"}, for_ever)});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("early", "null");
  CHECK(client.store().signal(id, "paid", Json::trusted("7")).value());
  CHECK_FALSE(client.store().signal(id, "paid", Json::trusted("8")).value());
  go = true;
  CHECK(client.wait(id).output->text() == R"({"paid": {"payload": 7, "signalled": true}})");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C4: a signal before the run's first claim is not lost") {
  const TestFlow flow("sent_first", {TestFlow::wait("go", {}, for_ever)});
  {
    RunningWorker brief({&flow});
    brief.drain();
    REQUIRE(brief.join().has_value());
  }
  TestClient client;
  const std::string id = client.start("sent_first", "null");
  CHECK(client.store().signal(id, "go", Json()).value());
  const RunningWorker worker({&flow});
  CHECK(client.wait(id).output->text() == R"({"go": {"payload": null, "signalled": true}})");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C4: a wait whose time is over goes on without a signal") {
  const TestFlow flow(
      "patient", {TestFlow::wait("answer", {}, 200),
                  {"after", [](TestCall& call) { return call.output(call.input); }, {"answer"}}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("patient", "null");
  CHECK(report.output->text() == R"({"after": {"answer": {"signalled": false}}})");
  CHECK(query_value("select ended_at - started_at >= interval '200 ms' from weir.attempts where "
                    "step = 'answer'") == "t");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C4: a wait that is given back ends when its time has come") {
  const TestFlow flow("slept", {TestFlow::wait("answer", {}, 1'500)});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("slept", "null");
  CHECK(is_parked());
  CHECK(client.wait(id).output->text() == R"({"answer": {"signalled": false}})");
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("worker: conditions");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F7: a step whose condition is unmet is skipped and its dependents go on") {
  TestFlow::Step gift{.slug = "gift", .handler = returns("1")};
  gift.only_if = R"({"gift": true})";
  const TestFlow flow(
      "wrapping",
      {gift, {"send", [](TestCall& call) { return call.output(call.input); }, {"gift"}}});
  const RunningWorker worker({&flow});
  TestClient client;
  CHECK(client.run("wrapping", R"({"gift": true})").output->text() == R"({"send": {"gift": 1}})");
  CHECK(client.run("wrapping", "{}").output->text() == R"({"send": {}})");
  CHECK(query_value("select count(*) || ' ' || min(error_code) from weir.journal where outcome = "
                    "7 and attempt = 0") == "1 condition_unmet");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F5: a step with when_exhausted skip_cascade takes all downstream with it") {
  TestFlow::Step flaky{.slug = "flaky", .handler = [](TestCall& call) { return call.fail("no"); }};
  flaky.options = {.max_attempts = 2, .base_delay_ms = 1};
  flaky.when_exhausted = "skip_cascade";
  const TestFlow flow("cascade",
                      {flaky, {"a", returns("1"), {"flaky"}}, {"b", returns("2"), {"a"}}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("cascade", "null");
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == "null");
  CHECK(query_value("select note is not null from weir.run") == "t");
  CHECK(query_value("select string_agg(error_code, ' ' order by step) from weir.journal where "
                    "outcome = 7") == "handler_failed dependency_skipped dependency_skipped");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F5: what still runs of a step that is skipped meanwhile is told to stop") {
  std::atomic<int> begun = 0;
  TestFlow::Step each{.slug = "each", .handler = [&](TestCall& call) {
                        ++begun;
                        if (call.input == "0") {
                          while (begun < 2) std::this_thread::sleep_for(1ms);
                          return call.fail("no", WEIR_FAILED_FOR_GOOD);
                        }
                        return until_stopped(call);
                      }};
  each.kind = "map";
  each.when_exhausted = "skip";
  const TestFlow flow("stopped", {each, {"after", returns("1"), {"each"}}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("stopped", "[0, 1]");
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == R"({"after": 1})");
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("worker: children");

TEST_CASE_FIXTURE(EmptyDatabase, "C8: a flow step's output is that of the run it starts") {
  const TestFlow child("square", {{"s", [](TestCall& call) {
                                     const int n = std::stoi(std::string(call.input));
                                     return call.output(std::to_string(n * n));
                                   }}});
  const TestFlow parent("caller", {{"n", returns("7")}, TestFlow::child("call", {"n"}, "square")});
  const RunningWorker worker({&child, &parent});
  const RunReport report = TestClient().run("caller", "null");
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == R"({"call": {"s": 49}})");
  CHECK(query_value("select count(*) from weir.run where parent_run is not null") == "1");
  CHECK(query_value("select (select min(created_at) from weir.run where parent_run is not null) >= "
                    "(select min(ended_at) from weir.journal)") == "t");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C8: a child that failed is the step's failure") {
  const TestFlow child(
      "bad",
      {{"s", [](TestCall& call) { return call.fail("out of paper", WEIR_FAILED_FOR_GOOD); }}});
  const TestFlow parent("caller", {TestFlow::child("call", {}, "bad")});
  const RunningWorker worker({&child, &parent});
  const RunReport report = TestClient().run("caller", "null");
  CHECK(report.summary.status == "failed");
  CHECK(report.summary.error->find("out of paper") != std::string::npos);
  CHECK(query_value("select count(*) from weir.run where parent_run is not null") == "1");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C8: a flow that nobody knows is waited for as options say") {
  TestFlow::Step call = TestFlow::child("call", {}, "nobody");
  call.options = {};
  const TestFlow parent("caller", {call});
  const RunningWorker worker({&parent});
  TestClient client;
  const std::string id = client.start("caller", "null");
  REQUIRE(eventually([] {
    return query_value("select count(*) from weir.journal where error_code = 'not_found'") >= "1";
  }));
  const TestFlow child("nobody", {{"s", returns("5")}});
  const RunningWorker late({&child});
  CHECK(client.wait(id).output->text() == R"({"call": {"s": 5}})");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C8: a parent that waits for its child is given back") {
  const TestFlow child("slow", {TestFlow::wait("go", {}, for_ever)});
  const TestFlow parent("caller", {TestFlow::child("call", {}, "slow")});
  const RunningWorker worker({&child, &parent});
  TestClient client;
  const std::string id = client.start("caller", "null");
  REQUIRE(eventually([] {
    return query_value(
               "select count(*) from weir.open_run where worker_id is null and wake_at is "
               "not null") == "2";
  }));
  const std::string child_id =
      query_value("select uuid from weir.run where parent_run is not null");
  REQUIRE(client.store().signal(child_id, "go", Json()).has_value());
  CHECK(client.wait(id).summary.status == "completed");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C8: cancelling the parent cancels its child") {
  std::atomic<bool> begun = false;
  const TestFlow child("slow", {{"s", [&](TestCall& call) {
                                   begun = true;
                                   return until_stopped(call);
                                 }}});
  const TestFlow parent("caller", {TestFlow::child("call", {}, "slow")});
  const RunningWorker worker({&child, &parent});
  TestClient client;
  const std::string id = client.start("caller", "null");
  REQUIRE(eventually([&] { return begun.load(); }));
  REQUIRE(client.store().cancel(id, "enough").value());
  CHECK(client.wait(id).summary.status == "cancelled");
  CHECK(client.wait(query_value("select uuid from weir.run where parent_run is not null"))
            .summary.status == "cancelled");
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("worker: control");

TEST_CASE_FIXTURE(EmptyDatabase, "C1: a cancel reaches running handlers and ends the run at once") {
  std::atomic<bool> begun = false, stopped = false;
  const TestFlow flow("long", {{"s", [&](TestCall& call) {
                                  begun = true;
                                  const auto returned = until_stopped(call);
                                  stopped = true;
                                  return returned;
                                }}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("long", "null");
  REQUIRE(eventually([&] { return begun.load(); }));
  CHECK(client.store().cancel(id, "not wanted any more").value());
  const RunReport report = client.wait(id);
  CHECK(report.summary.status == "cancelled");
  CHECK(*report.summary.error == "not wanted any more");
  CHECK(eventually([&] { return stopped.load(); }));
  CHECK(query_value("select string_agg(outcome, ' ') from weir.attempts") == "cancelled");
  CHECK_FALSE(client.store().cancel(id, "again").value());
}

TEST_CASE_FIXTURE(EmptyDatabase, "C1: a run that is parked is cancelled at once") {
  const TestFlow flow("asleep", {TestFlow::wait("never", {}, for_ever)});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("asleep", "null");
  REQUIRE(is_parked());
  CHECK(client.store().cancel(id, "enough").value());
  CHECK(client.store().summary(id)->status == "cancelled");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C2: of a paused flow nothing is begun until it is resumed") {
  std::atomic<bool> begun = false, go = false;
  std::atomic<int> calls = 0;
  const TestFlow flow("paused", {{"first",
                                  [&](TestCall& call) {
                                    begun = true;
                                    while (!go) std::this_thread::sleep_for(1ms);
                                    return call.output("1");
                                  }},
                                 {"second",
                                  [&](TestCall& call) {
                                    ++calls;
                                    return call.output("2");
                                  },
                                  {"first"}}});
  const TestFlow other("other", {{"s", returns("1")}});
  const RunningWorker worker({&flow, &other});
  TestClient client;
  const std::string id = client.start("paused", "null");
  REQUIRE(eventually([&] { return begun.load(); }));
  CHECK(client.store().pause("paused").value());
  const std::string waiting = client.start("paused", "null");
  // It knows of the pause once its next exchange was made: what runs may finish.
  CHECK(client.run("other", "null").summary.status == "completed");
  go = true;
  CHECK(eventually([] {
    return query_value("select count(*) from weir.open_run where worker_id is null") == "2";
  }));
  CHECK(calls == 0);
  CHECK(client.store().resume("paused").value());
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(client.wait(waiting).summary.status == "completed");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C3: a retried run goes on from what is missing") {
  std::atomic<bool> mended = false;
  std::mutex mutex;
  std::multiset<std::string> ran;
  TestFlow::Step each{.slug = "each", .handler = [&](TestCall& call) {
                        {
                          const std::lock_guard lock(mutex);
                          ran.insert(std::string(call.input));
                        }
                        if (call.input == "2" && !mended) return call.fail("bad element");
                        return call.output(call.input);
                      }};
  each.kind = "map";
  each.options = {.max_attempts = 1};
  const TestFlow flow("mended", {each});
  WorkerOptions one = RunningWorker::quick();
  one.slots = 1;
  const RunningWorker worker({&flow}, one);
  TestClient client;
  const std::string id = client.start("mended", "[1, 2, 3]");
  CHECK(client.wait(id).summary.status == "failed");
  mended = true;
  REQUIRE(client.store().retry(id).has_value());
  const RunReport report = client.wait(id);
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == R"({"each": [1, 2, 3]})");
  CHECK(ran.count("1") == 1);
  CHECK(ran.count("2") == 2);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("worker: timeouts");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F4: a handler that ignores its stop token loses its slot to others") {
  std::atomic<bool> go = false;
  std::atomic<int> calls = 0;
  const TestFlow stuck("stuck", {{"s",
                                  [&](TestCall& call) {
                                    if (++calls == 1)
                                      while (!go) std::this_thread::sleep_for(1ms);
                                    return call.output("1");
                                  },
                                  {},
                                  "single",
                                  {.base_delay_ms = 1, .timeout_ms = 50}}});
  const TestFlow other("other", {{"s", returns("1")}});
  WorkerOptions one = RunningWorker::quick();
  one.slots = 1;
  const RunningWorker worker({&stuck, &other}, one);
  TestClient client;
  const std::string id = client.start("stuck", "null");
  CHECK(client.wait(id).summary.status == "completed");  // its second attempt, on another thread
  CHECK(client.run("other", "null").summary.status == "completed");
  CHECK(query_value("select error from weir.attempts where outcome = 'timed_out'") ==
        "no result within 50 ms; it ignores its stop token and keeps its thread");
  go = true;
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("worker: events");

TEST_CASE_FIXTURE(EmptyDatabase, "E1: listeners in the process hear parents before children") {
  TestFlow::Step gift{.slug = "gift", .handler = returns("1"), .depends_on = {"a"}};
  gift.only_if = R"({"a": 2})";
  const TestFlow flow("told", {{"a", returns("1")}, gift, {"b", returns("2"), {"gift"}}});
  WorkerOptions options = RunningWorker::quick();
  options.events = std::make_shared<RunEvents>();
  std::mutex mutex;
  std::vector<std::string> events;
  const auto listener = options.events->listen(
      [&](const RunEvent& event) {
        const std::lock_guard lock(mutex);
        events.push_back(event.name);
      },
      "told");
  const RunningWorker worker({&flow}, options);
  TestClient().run("told", "null");
  const std::vector<std::string> expected = {
      "run:started",    "step:a:started",   "step:a:completed", "step:gift:skipped",
      "step:b:started", "step:b:completed", "run:completed"};
  CHECK(eventually([&] {
    const std::lock_guard lock(mutex);
    return events.size() == expected.size();
  }));
  const std::lock_guard lock(mutex);
  CHECK(events == expected);
}

TEST_SUITE_END();
