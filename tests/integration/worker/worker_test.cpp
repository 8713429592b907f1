#include <atomic>
#include <mutex>
#include <set>

#include <doctest/doctest.h>

#include "integration/worker/worker_rig.hpp"
#include "worker/flow_workers.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("worker: runs");

TEST_CASE_FIXTURE(EmptyDatabase, "P2: a dependent gets an object of the outputs it depends on") {
  const TestFlow flow(
      "sums", {{"left", returns("1")},
               {"right", [](TestCall& call) { return call.output(call.input); }},
               {"sum", [](TestCall& call) { return call.output(call.input); }, {"left", "right"}}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("sums", R"({"n": 7})");
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == R"({"sum": {"left": 1, "right": {"n": 7}}})");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "P4: a map gives the outputs of its tasks in the order of the elements") {
  const TestFlow flow(
      "doubles", {{"list", returns("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]")},
                  {"twice",
                   [](TestCall& call) {
                     return call.output(std::to_string(2 * std::stoi(std::string(call.input))));
                   },
                   {"list"},
                   "map"},
                  {"all", [](TestCall& call) { return call.output(call.input); }, {"twice"}}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("doubles", "null");
  CHECK(report.output->text() == R"({"all": {"twice": [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]}})");
  CHECK(step_of(report, "twice").attempts == 10);
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "S6: a run whose only map is empty completes without calling a handler") {
  std::atomic<int> calls = 0;
  const TestFlow flow("nothing", {{"each",
                                   [&](TestCall& call) {
                                     ++calls;
                                     return call.output("1");
                                   },
                                   {},
                                   "map"},
                                  {"again",
                                   [&](TestCall& call) {
                                     ++calls;
                                     return call.output("1");
                                   },
                                   {"each"},
                                   "map"}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("nothing", "[]");
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == R"({"again": []})");
  CHECK(calls == 0);
}

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "P6: a step that feeds a map and returns no array fails the run at once and keeps the output") {
  std::atomic<int> calls = 0;
  const TestFlow flow("no_list", {{"s",
                                   [&](TestCall& call) {
                                     ++calls;
                                     return call.output(R"({"a": 1})");
                                   }},
                                  {"m", returns("1"), {"s"}, "map"}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("no_list", "null");
  CHECK(report.summary.status == "failed");
  CHECK(*report.summary.error ==
        R"(step "m" maps over the output of "s", which is an object, not an array)");
  CHECK(step_of(report, "s").status == "failed");
  CHECK(step_of(report, "s").output->text() == R"({"a": 1})");
  CHECK(step_of(report, "m").status == "cancelled");
  CHECK(calls == 1);
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F2: a failing task is tried max_attempts times with growing waits") {
  const TestFlow flow("flaky", {{"s",
                                 [](TestCall& call) {
                                   return call.fact("attempt") == "3" ? call.output("\"done\"")
                                                                      : call.fail("not yet");
                                 },
                                 {},
                                 "single",
                                 {.max_attempts = 3, .base_delay_ms = 10}},
                                {"never",
                                 [](TestCall& call) { return call.fail("out of paper"); },
                                 {"s"},
                                 "single",
                                 {.max_attempts = 2, .base_delay_ms = 1}}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("flaky", "null");
  CHECK(report.summary.status == "failed");
  CHECK(*report.summary.error == R"(step "never" failed after 2 attempts: out of paper)");
  CHECK(step_of(report, "s").attempts == 3);
  CHECK(
      query_value("select min(b.started_at - a.ended_at) >= interval '20 ms' from weir.attempts a "
                  "join weir.attempts b using (run_id, step) where a.attempt = 1 and b.attempt = 2 "
                  "and step = 's'") == "t");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F3: what is no single JSON output within max_output fails for good") {
  const TestFlow flow(
      "bad_outputs", {{"none", [](TestCall&) { return std::int32_t{WEIR_OK}; }},
                      {"two",
                       [](TestCall& call) {
                         call.output("1");
                         call.output("2");
                         return std::int32_t{WEIR_OK};
                       }},
                      {"broken", returns("{\"a\":")},
                      {"latin", returns("\"\xE9\"")},
                      {"large", returns("\"0123456789\""), {}, "single", {.max_output_bytes = 5}}});
  const RunningWorker worker({&flow});
  TestClient().run("bad_outputs", "null");
  // All roots run side by side; the first to be settled fails the run, whichever it is.
  CHECK(query_value("select count(*) > 0 and bool_and(outcome in ('failed_for_good', 'cancelled')) "
                    "from weir.attempts") == "t");
}

TEST_CASE_FIXTURE(EmptyDatabase, "F3: a handler can ask for the time of its next attempt") {
  const TestFlow flow("patient", {{"s",
                                   [](TestCall& call) {
                                     return call.fact("attempt") == "1"
                                                ? call.fail("busy", WEIR_FAILED, 60)
                                                : call.output("1");
                                   },
                                   {},
                                   "single",
                                   {.base_delay_ms = 3'600'000}}});
  const RunningWorker worker({&flow});
  CHECK(TestClient().run("patient", "null").summary.status == "completed");
}

TEST_CASE_FIXTURE(EmptyDatabase, "F3: an exception is a plain failure with its text") {
  const TestFlow flow(
      "throws", {{"s",
                  [](TestCall&) -> std::int32_t { throw std::runtime_error("out of cheese"); },
                  {},
                  "single",
                  {.max_attempts = 1}}});
  const RunningWorker worker({&flow});
  CHECK(*TestClient().run("throws", "null").summary.error ==
        R"(step "s" failed after 1 attempt: out of cheese)");
}

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "F4: a handler that passes its timeout is told to stop and its attempt ends as timed_out") {
  const TestFlow flow("slow", {{"s",
                                [](TestCall& call) {
                                  while (!call.cancelled()) std::this_thread::sleep_for(1ms);
                                  return std::int32_t{WEIR_CANCELLED};
                                },
                                {},
                                "single",
                                {.max_attempts = 2, .base_delay_ms = 1, .timeout_ms = 30}}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("slow", "null");
  CHECK(*report.summary.error == R"(step "s" failed after 2 attempts: no result within 30 ms)");
  CHECK(query_value("select string_agg(distinct outcome, chr(32)) from weir.attempts") ==
        "timed_out");
}

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "F4: a handler that ignores its stop token keeps its thread and its late result is refused") {
  std::atomic<bool> let_go = false;
  const TestFlow flow("stubborn", {{"s",
                                    [&](TestCall& call) {
                                      if (call.fact("attempt") == "2") return call.output("2");
                                      while (!let_go) std::this_thread::sleep_for(1ms);
                                      return call.output("1");
                                    },
                                    {},
                                    "single",
                                    {.base_delay_ms = 1, .timeout_ms = 20}}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("stubborn", "null");
  CHECK(report.output->text() == R"({"s": 2})");
  let_go = true;
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F6: when a run fails what still runs of it is cancelled in the same commit") {
  const TestFlow flow(
      "falls", {{"fails", [](TestCall& call) { return call.fail("no", WEIR_FAILED_FOR_GOOD); }},
                {"runs", [](TestCall& call) {
                   while (!call.cancelled()) std::this_thread::sleep_for(1ms);
                   return std::int32_t{WEIR_CANCELLED};
                 }}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("falls", "null");
  CHECK(*report.summary.error == R"(step "fails" failed for good: no)");
  CHECK(step_of(report, "runs").status == "cancelled");
  CHECK(query_value("select count(*) from weir.attempts where outcome = 'running'") == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase, "P1: start_delay holds back the first attempt and nothing else") {
  const TestFlow flow("delayed", {{"s", returns("1")},
                                  {"late", returns("2"), {"s"}, "single", {.start_delay_ms = 80}}});
  const RunningWorker worker({&flow});
  CHECK(TestClient().run("delayed", "null").summary.status == "completed");
  CHECK(query_value("select b.started_at - a.ended_at between interval '80 ms' and interval '10 s' "
                    "from weir.attempts a "
                    "join weir.attempts b using (run_id) where a.step = 's' and b.step = 'late'") ==
        "t");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "P1: a run that sleeps for long is given back and taken up again when it wakes") {
  const TestFlow flow(
      "parked",
      {{"s", returns("1")}, {"late", returns("2"), {"s"}, "single", {.start_delay_ms = 1'500}}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("parked", "null");
  CHECK(eventually([&] {
    return query_value(
               "select count(*) from weir.open_run where worker_id is null and wake_at is not "
               "null") == "1";
  }));
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(query_value("select count(*) from weir.journal") == "2");
}

TEST_CASE_FIXTURE(EmptyDatabase, "P8: values pass unchanged from input to output") {
  const TestFlow flow("echo", {{"s", [](TestCall& call) { return call.output(call.input); }}});
  const RunningWorker worker({&flow});
  TestClient client;
  for (const std::string value :
       {"false", "0", "\"\"", "null", "9223372036854775807", "18446744073709551615",
        "0.30000000000000004", "1.7976931348623157e308", "\"\\u20ac and \xF0\x9F\x8C\x8A\"", "[]",
        "{}", "[null, [false]]"}) {
    const RunReport report = client.run("echo", value);
    CHECK(query_value("select output -> 's' = input from weir.runs where run_id = '" +
                      report.summary.id + "'") == "t");
  }
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("worker: leases and drain");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L5: a drain lets running handlers finish and claims nothing more") {
  std::atomic<bool> begun = false, go = false;
  const TestFlow flow("drained", {{"first",
                                   [&](TestCall& call) {
                                     begun = true;
                                     while (!go) std::this_thread::sleep_for(1ms);
                                     return call.output("1");
                                   }},
                                  {"second", returns("2"), {"first"}}});
  RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("drained", "null");
  REQUIRE(eventually([&] { return begun.load(); }));
  worker.drain();
  go = true;
  CHECK(worker.join().has_value());
  CHECK(step_of(*client.store().report(id), "first").status == "completed");
  CHECK(query_value("select worker_id is null and wake_at is null from weir.open_run") == "t");
  const RunningWorker next({&flow});
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(query_value("select count(*) from weir.attempts where outcome <> 'completed'") == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L5: what does not finish within drain_timeout is given back and not charged") {
  std::atomic<int> calls = 0;
  const TestFlow flow("long", {{"s",
                                [&](TestCall& call) {
                                  if (++calls > 1) return call.output("1");
                                  while (!call.cancelled()) std::this_thread::sleep_for(1ms);
                                  return std::int32_t{WEIR_CANCELLED};
                                },
                                {},
                                "single",
                                {.max_attempts = 1}}});
  WorkerOptions options = RunningWorker::quick();
  options.drain_timeout = 50ms;
  RunningWorker worker({&flow}, options);
  TestClient client;
  const std::string id = client.start("long", "null");
  REQUIRE(eventually([&] { return calls == 1; }));
  worker.drain();
  REQUIRE(worker.join().has_value());
  const RunningWorker next({&flow});
  const RunReport report = client.wait(id);
  CHECK(report.summary.status == "completed");
  CHECK(step_of(report, "s").attempts == 1);
}

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "L2: a worker that was declared dead drops what it held and comes back as a new one") {
  std::atomic<int> calls = 0;
  std::atomic<bool> go = false;
  const TestFlow flow("fenced", {{"s", [&](TestCall& call) {
                                    const int mine = ++calls;
                                    while (mine == 1 && !go) std::this_thread::sleep_for(1ms);
                                    return call.output(std::to_string(mine));
                                  }}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("fenced", "null");
  REQUIRE(eventually([&] { return calls == 1; }));
  // As if its host had slept: the lease is over and somebody sweeps.
  sweep_all_workers();
  const RunReport report = client.wait(id);
  go = true;
  CHECK(report.output->text() == R"({"s": 2})");
  CHECK(step_of(report, "s").attempts == 2);
  CHECK(query_value("select string_agg(outcome, ' ' order by attempt) from weir.attempts") ==
        "lost completed");
  CHECK(query_value("select count(*) from weir.workers where end_reason = 'lapsed'") == "1");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F1: a task that is lost with its worker more than three times fails its run") {
  const TestFlow flow("deadly", {{"s", [&](TestCall& call) {
                                    while (!call.cancelled()) std::this_thread::sleep_for(1ms);
                                    return std::int32_t{WEIR_CANCELLED};
                                  }}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("deadly", "null");
  for (int loss = 1; loss <= 4; ++loss) {
    REQUIRE(eventually([&] {
      return query_value("select count(*) from weir.attempts where outcome = 'running'") == "1";
    }));
    sweep_all_workers();
  }
  CHECK(*client.wait(id).summary.error == R"(step "s" was lost with its worker 4 times)");
}

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "L6: a worker whose connection is cut goes on without losing or doubling anything") {
  const TestFlow flow(
      "cut", {{"a", returns("1")}, {"b", returns("2"), {"a"}}, {"c", returns("3"), {"b"}}});
  const RunningWorker worker({&flow});
  TestClient client;
  std::vector<std::string> ids;
  for (int i = 0; i < 60; ++i) {
    ids.push_back(client.start("cut", std::to_string(i)));
    if (i % 4 == 0)
      query_value(
          "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> "
          "pg_backend_pid() "
          "and datname = current_database() and query like '%weir.exchange%'");
  }
  for (const std::string& id : ids) CHECK(client.wait(id).summary.status == "completed");
  CHECK(query_value("select count(*) from weir.journal where outcome = 1") == "180");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L6: what ends while the database is away is journaled when it is back") {
  std::atomic<bool> begun = false, go = false;
  const TestFlow flow("away", {{"s",
                                [&](TestCall& call) {
                                  begun = true;
                                  while (!go) std::this_thread::sleep_for(1ms);
                                  return call.output("1");
                                }},
                               {"t", returns("2"), {"s"}}});
  WorkerOptions options = RunningWorker::quick();
  options.lease = 30s;
  const RunningWorker worker({&flow}, options);
  const std::string id = TestClient().start("away", "null");
  REQUIRE(eventually([&] { return begun.load(); }));
  {
    const DatabaseAway away;
    go = true;
    std::this_thread::sleep_for(200ms);
  }
  TestClient client;
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(query_value("select string_agg(outcome, ' ') from weir.attempts") == "completed completed");
}

TEST_CASE_FIXTURE(EmptyDatabase, "L5: a drain ends in time also while the database is away") {
  const TestFlow flow("gone", {{"s", returns("1")}});
  WorkerOptions options = RunningWorker::quick();
  options.drain_timeout = 50ms;
  RunningWorker worker({&flow}, options);
  const DatabaseAway away;
  worker.drain();
  CHECK(worker.join().has_value());
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L4: runs of a flow no worker has loaded wait without losing attempts") {
  const TestFlow known("known", {{"s", returns("1")}});
  const TestFlow other("other", {{"s", returns("1")}});
  {
    RunningWorker brief({&other});
    brief.drain();
    REQUIRE(brief.join().has_value());
  }
  TestClient client;
  const std::string id = client.start("other", "null");
  const RunningWorker worker({&known});
  CHECK(client.run("known", "null").summary.status == "completed");
  CHECK(client.store().summary(id)->status == "queued");
  const RunningWorker late({&other});
  CHECK(client.wait(id).summary.status == "completed");
}

TEST_CASE_FIXTURE(EmptyDatabase, "L7: two workers share many runs and no task runs twice") {
  std::mutex mutex;
  std::multiset<std::string> ran;
  const TestFlow flow("shared", {{"s", [&](TestCall& call) {
                                    {
                                      const std::lock_guard lock(mutex);
                                      ran.insert(call.fact("run_id"));
                                    }
                                    return call.output("1");
                                  }}});
  const RunningWorker first({&flow});
  const RunningWorker second({&flow});
  TestClient client;
  const std::vector<Json> inputs(500, Json());
  const auto started = client_on(client.store()).start_many("shared", inputs);
  REQUIRE(started.has_value());
  for (const StartedRun& run : *started) CHECK(client.wait(run.id).summary.status == "completed");
  CHECK(ran.size() == 500);
  CHECK(std::set<std::string>(ran.begin(), ran.end()).size() == 500);
}

TEST_CASE_FIXTURE(EmptyDatabase, "S1: a delayed run begins when its time has come") {
  const TestFlow flow("later", {{"s", returns("1")}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start(
      "later", "null",
      {.idempotency_keys = {}, .run_ids = {}, .delay = 300ms, .version = {}, .tags = {}});
  CHECK(client.store().summary(id)->status == "queued");
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(query_value("select started_at - created_at >= interval '300 ms' from weir.runs") == "t");
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("worker: flow workers");

TEST_CASE_FIXTURE(EmptyDatabase, "a worker stands under its flows while it serves them") {
  const TestFlow orders("orders", {{"only", returns("1")}});
  const TestFlow mails("mails", {{"only", returns("1")}});
  const auto flow_workers = std::make_shared<FlowWorkers>();
  WorkerOptions options = RunningWorker::quick();
  options.flow_workers = flow_workers;
  RunningWorker both({&orders, &mails}, options);
  const RunningWorker one({&mails}, options);
  CHECK(eventually([&] { return flow_workers->serving("mails").size() == 2; }));
  REQUIRE(flow_workers->serving("orders").size() == 1);
  CHECK(flow_workers->serving("orders")[0].slots == options.slots);
  CHECK(flow_workers->wake("orders") == 1);
  both.drain();
  CHECK(both.join());
  CHECK(flow_workers->serving("orders").empty());
  CHECK(flow_workers->serving("mails").size() == 1);
}

TEST_SUITE_END();
