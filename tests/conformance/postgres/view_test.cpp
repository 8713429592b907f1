#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"

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
    const PluginId plugin = must(a.worker.session->register_plugin(std::string(64, 'c'), "/p.so"));
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

  TEST_CASE("weir.runs shows what a start was given") {
    Views a;
    CHECK(a.stores.sql("select concat_ws(' ', priority, input, idempotency_key, tags,"
                       " created_at = available_at, started_at) from weir.runs") ==
          Rows{"3 1 k {x,y} t"});
  }

  TEST_CASE("L1: weir.workers shows who lives and what became of the others") {
    Views a;
    const auto told = [&](const TestWorker& worker) {
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
    CHECK(told(a.worker) == "here 42 4 t 1");
    a.worker.lapses(*a.client);
    CHECK(told(a.worker) == "here 42 4 f 1");
    TestWorker other(a.stores);
    must(other.session->sweep());
    CHECK(told(a.worker) == "here 42 4 f 0 lapsed");
    must(other.session->leave(other.id));
    CHECK(told(other) == "here 42 4 f 0 left");
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
