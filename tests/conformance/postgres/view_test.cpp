#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/plugin_store.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

namespace {

struct Views {
  Views() {
    worker.loads(flow({step("a"), of_kind("map", "b", {"a"})}));
    id = start_one(*client, "1", {.idempotency_keys = {"k"}, .priority = 3, .tags = {"x", "y"}}).id;
  }
  Rows runs() {
    return stores.sql(
        "select concat_ws(' ', flow, version, status, error, worker_id is not null) from "
        "weir.runs");
  }
  Rows steps() {
    return stores.sql(
        fmt::format("select concat_ws(' ', step, status, tasks_completed, tasks) from weir.steps "
                    "where run_id = '{}'"
                    " order by position",
                    id));
  }
  Rows attempts() {
    return stores.sql(
        "select concat_ws(' ', step, task_index, attempt, outcome, output, error, worker_id, "
        "left(plugin_sha256, 3))"
        " from weir.attempts order by step, task_index, attempt");
  }
  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
  std::string id;
};

}  // namespace

TEST_SUITE("postgres: views") {
  TEST_CASE("L4: a run that no worker may begin says what it waits for") {
    Views a;
    const auto waits_for = [&] { return must(a.client->report(a.id)).waits_for.value_or(""); };
    CHECK(waits_for() ==
          "no live worker has version 1 of flow totals: weir flows versions totals "
          "says what to do");
    CHECK(must(a.client->report(a.id, false)).waits_for.has_value());
    a.worker.serves({{a.worker.versions[0], {.barred = true}}});
    CHECK(waits_for() == "the plugin of flow totals is in quarantine: weir plugins list says why");
    must(a.worker.session->plugins().report_plugins(
        {.host = "here", .pid = 42},
        json(R"([{"path": "/a.so", "state": "quarantined", "flows": ["x", "totals"],
                  "until": "2026-11-21T01:56:26Z"}])")));
    CHECK(waits_for() ==
          "the plugin of flow totals is in quarantine until 2026-11-21 01:56:26 UTC: "
          "weir plugins list says why");
    a.worker.serves({{a.worker.versions[0], {}}});
    CHECK(waits_for() == "");
    must(a.client->pause("totals"));
    CHECK(waits_for() == "flow totals is paused: weir flows resume totals");
    must(a.client->resume("totals"));
    must(a.worker.session->leave(a.worker.id));
    CHECK(waits_for() == "no worker is alive: the run waits until \"weir serve\" is started");
  }

  TEST_CASE("weir.runs and weir.steps follow a run from start to end") {
    Views a;
    CHECK(a.runs() == Rows{"totals 1 queued f"});
    CHECK(a.steps() == Rows{"a ready 0 1", "b waiting 0"});
    const RunKey run = a.worker.claim_one().run;
    CHECK(a.runs() == Rows{"totals 1 running t"});
    a.worker.in_flight = {{run, {0, 0}, 1}};
    a.worker.exchange(a.worker.next());
    CHECK(a.steps() == Rows{"a running 0 1", "b waiting 0"});
    a.worker.in_flight.clear();
    a.worker.journals(run, completed(0, 0, 1, "[1,2]"));
    CHECK(a.steps() == Rows{"a completed 1 1", "b ready 0 2"});
    a.worker.journals(run, completed(1, 1, 1, "1"));
    CHECK(a.steps() == Rows{"a completed 1 1", "b running 1 2"});
    a.worker.journals(run, failed(1, 0, 1, "boom"));
    a.worker.ends(run, {.status = RunStatus::failed, .error = "boom", .failed_step = 1});
    CHECK(a.runs() == Rows{"totals 1 failed boom f"});
    CHECK(a.steps() == Rows{"a completed 1 1", "b failed 1 2"});
  }

  TEST_CASE("weir.attempts shows what ended and what runs") {
    Views a;
    CHECK(a.attempts().empty());
    const RunKey run = a.worker.claim_one().run;
    const PluginId plugin =
        must(a.worker.session->flows().register_plugin(std::string(64, 'c'), "/p.so"));
    ExchangeRequest request = a.worker.next();
    request.settled.push_back({run, failed(0, 0, 1, "boom"), plugin});
    request.settled.push_back({run, completed(0, 0, 2, "[7]"), {}});
    request.in_flight = {{run, {1, 0}, 1}};
    a.worker.exchange(request);
    CHECK(a.attempts() == Rows{fmt::format("a 0 1 failed boom {} ccc", a.worker.id),
                               fmt::format("a 0 2 completed [7] {}", a.worker.id),
                               fmt::format("b 0 1 running {}", a.worker.id)});
  }

  TEST_CASE("weir.attempts names every outcome") {
    Views a;
    const RunKey run = a.worker.claim_one().run;
    for (const Outcome outcome : {Outcome::completed, Outcome::failed, Outcome::failed_for_good,
                                  Outcome::timed_out, Outcome::lost, Outcome::cancelled}) {
      JournalRow row = completed(0, static_cast<std::size_t>(outcome), 1, "1");
      row.outcome = outcome;
      a.worker.journals(run, row);
      CHECK(a.stores.sql(fmt::format("select outcome from weir.attempts where task_index = {}",
                                     static_cast<int>(outcome))) ==
            Rows{std::string(name(outcome))});
    }
  }

  TEST_CASE("F8: a skipped step tells why and maps over it have no tasks") {
    Views a;
    const RunKey run = a.worker.claim_one().run;
    JournalRow skip = failed(0, 0, 0, "");
    skip.outcome = Outcome::skipped;
    skip.error_code = "condition_unmet";
    a.worker.journals(run, skip);
    CHECK(a.steps() == Rows{"a skipped 0 1", "b completed 0 0"});
    CHECK(a.stores.sql("select skip_reason from weir.steps where step = 'a'") ==
          Rows{"condition_unmet"});
    CHECK(a.attempts().empty());
  }

  TEST_CASE("C3: a task that is tried anew is told among its attempts") {
    Views a;
    const RunKey run = a.worker.claim_one().run;
    a.worker.journals(run, failed(0, 0, 1, "boom"));
    a.worker.ends(run, {.status = RunStatus::failed, .error = "boom", .failed_step = 0});
    CHECK(a.stores.sql("select failed_step from weir.runs") == Rows{"a"});
    must(a.client->retry(a.id));
    CHECK(a.attempts() == Rows{fmt::format("a 0 1 failed boom {}", a.worker.id), "a 0 2 retried"});
    const StepReport report = must(a.client->report(a.id)).steps[0];
    CHECK(report.attempts == 1);
    CHECK(report.retried == 1);
    CHECK(report.status == "ready");
  }

  TEST_CASE("C4: a wait that has begun tells its signal and until when") {
    Views a;
    FlowDraft::Step wait = of_kind("wait", "decision", {"ask"});
    wait.signal = "approval";
    wait.options.timeout_ms = 60'000;
    a.worker.loads(named("approve", flow({step("ask"), wait})));
    a.worker.claim_one();
    const auto started = must(a.client->start("approve", {Json()}, {}))[0];
    const auto decision = [&] { return must(a.client->report(started.id)).steps[1]; };
    CHECK(decision().status == "waiting");
    CHECK(decision().signal == "approval");
    CHECK_FALSE(decision().until.has_value());
    const RunKey run = a.worker.claim_one().run;
    const JournalRow asked = completed(0, 0, 1, "1");
    a.worker.journals(run, asked);
    CHECK(decision().status == "running");
    CHECK(decision().until == asked.ended_at + std::chrono::minutes(1));
    must(a.client->signal(started.id, "approval", json(R"({"by":"ann"})")));
    const auto signals = [&] {
      return a.stores.sql(
          "select concat_ws(' ', flow, step, name, payload, heard_at is not null) "
          "from weir.signals");
    };
    CHECK(signals() == Rows{R"(approve decision approval {"by": "ann"} f)"});
    a.worker.journals(run, completed(1, 0, 1, R"({"signalled": true})"));
    CHECK(signals() == Rows{R"(approve decision approval {"by": "ann"} t)"});
    CHECK(decision().status == "completed");
  }

  TEST_CASE("C8: a flow step tells the run it started and the run its parent") {
    Views a;
    FlowDraft::Step sub = of_kind("flow", "sub");
    sub.flow = "totals";
    a.worker.claim_one();
    a.worker.loads(named("parent", flow({sub})));
    const auto started = must(a.client->start("parent", {Json()}, {}))[0];
    const RunKey parent = a.worker.claim_one().run;
    must(a.worker.starts_child(parent, 0, 1, "totals", Json()));
    const StepReport report = must(a.client->report(started.id)).steps[0];
    CHECK(report.status == "running");
    REQUIRE(report.child_run.has_value());
    CHECK(must(a.client->summary(*report.child_run)).parent_run == started.id);
    CHECK(a.stores.sql("select parent_step from weir.runs where parent_run_id is not null") ==
          Rows{"sub"});
  }

  TEST_CASE("C2: runs of a paused flow are told as paused and the flow as well") {
    Views a;
    must(a.client->pause("totals"));
    CHECK(a.stores.sql("select paused from weir.runs") == Rows{"t"});
    CHECK(a.stores.sql("select concat_ws(' ', flow, version, paused) from weir.flows") ==
          Rows{"totals 1 t"});
  }

  TEST_CASE("P7: a run without output tells why") {
    Views a;
    const RunKey run = a.worker.claim_one().run;
    a.worker.ends(run, {.output = json("null"), .note = "every last step was skipped"});
    CHECK(must(a.client->summary(a.id)).note == "every last step was skipped");
  }

  TEST_CASE("weir.runs shows what a start was given") {
    const Views a;
    CHECK(a.stores.sql("select concat_ws(' ', priority, input, idempotency_key, tags,"
                       " created_at = available_at, started_at) from weir.runs") ==
          Rows{"3 1 k {x,y} t"});
  }

  TEST_CASE("L1: weir.workers shows who lives and what became of the others") {
    Views a;
    const auto described = [&](const TestWorker& worker) {
      return a.stores
          .sql(fmt::format("select concat_ws(' ', host, pid, slots, alive, in_flight, end_reason) "
                           "from weir.workers"
                           " where worker_id = {}",
                           worker.id))
          .front();
    };
    const RunKey run = a.worker.claim_one().run;
    a.worker.in_flight = {{run, {0, 0}, 1}};
    a.worker.exchange(a.worker.next());
    CHECK(described(a.worker) == "here 42 4 t 1");
    a.worker.lapses(*a.client);
    CHECK(described(a.worker) == "here 42 4 f 1");
    TestWorker other(a.stores);
    must(other.session->sweep());
    CHECK(described(a.worker) == "here 42 4 f 0 lapsed");
    must(other.session->leave(other.id));
    CHECK(described(other) == "here 42 4 f 0 left");
  }

  TEST_CASE("L1: every exchange moves the lease on") {
    Views a;
    const auto until = [&] { return a.stores.sql("select lease_until from weir.workers").front(); };
    const std::string first = until();
    a.worker.exchange(a.worker.next());
    CHECK(until() > first);
  }

  TEST_CASE("status words of runs and steps are those that are documented") {
    Views a;
    const RunKey run = a.worker.claim_one().run;
    a.worker.ends(run, {.status = RunStatus::cancelled});
    CHECK(a.runs() == Rows{"totals 1 cancelled f"});
    CHECK(a.steps() == Rows{"a cancelled 0 1", "b cancelled 0"});
  }
}
