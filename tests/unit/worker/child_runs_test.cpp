#include "worker/child_runs.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// Runs of a flow with two flow steps, `a` and `b`, which are both due.
struct Parents {
  TestFlow flow{"parent", {TestFlow::child("a", {}, "other"), TestFlow::child("b", {}, "another")}};
  FakeStore store;
  LogLines lines;
  std::shared_ptr<Log> log = lines.log();
  RunBook runs;
  ChildRuns children{store, *log};
  std::string noted;  ///< what was called back
  bool held = false;

  OwnedRun& add(RunKey key) {
    OwnedRun& run = add_run(runs, flow, claim_of(key, "5"));
    run.refresh(start);
    return run;
  }
  Result<void> start_all(Steady now) {
    return children.start(
        1, 15s, now, runs,
        {.is_held = [this](const OwnedRun&) { return held; },
         .started = [this](
                        RunKey key, OwnedRun&,
                        std::size_t step) { noted += fmt::format("{}.{} started\n", key, step); },
         .failed =
             [this](RunKey key, OwnedRun& run, const ReadyTask& task, AttemptResult result) {
               noted += fmt::format(
                   "{}.{} {}\n", key, task.task.step,
                   text_of(run.state().make_row(task.task, task.attempt, std::move(result))));
             }});
  }
};

const std::string one_call = "start_children worker 1 lease 15000\n";
const std::string start_a = "  run 7 step 0#1 flow other input 5\n";
const std::string start_b = "  run 7 step 1#1 flow another input 5\n";

}  // namespace

TEST_SUITE("worker: child runs") {
  TEST_CASE("C8: each child run that is due is started once and nothing is without a request") {
    Parents parents;
    parents.add(7);
    CHECK_FALSE(parents.children.due_at().has_value());
    CHECK(parents.start_all(steady_start).has_value());
    CHECK(parents.store.take_calls() == "");
    parents.children.request();
    CHECK(parents.children.due_at() <= steady_start);
    CHECK(parents.start_all(steady_start).has_value());
    CHECK(parents.store.take_calls() == one_call + start_a + start_b);
    CHECK(parents.noted == "7.0 started\n7.1 started\n");
    CHECK_FALSE(parents.children.due_at().has_value());
    parents.children.request();
    CHECK(parents.start_all(steady_start).has_value());
    CHECK(parents.store.take_calls() == "");
  }

  TEST_CASE("C2: the child runs of a run that is held or leaves are not started") {
    Parents parents;
    OwnedRun& run = parents.add(7);
    parents.held = true;
    parents.children.request();
    CHECK(parents.start_all(steady_start).has_value());
    parents.held = false;
    run.leaving = true;
    parents.children.request();
    CHECK(parents.start_all(steady_start).has_value());
    CHECK(parents.store.take_calls() == "");
    run.leaving = false;
    parents.children.request();
    CHECK(parents.start_all(steady_start).has_value());
    CHECK(parents.store.take_calls() == one_call + start_a + start_b);
  }

  TEST_CASE("L6: while the database is away all child runs are started later and nothing fails") {
    const std::string started = one_call + start_a + start_b;
    for (const ErrorCode away : {ErrorCode::unavailable, ErrorCode::in_doubt}) {
      Parents parents;
      const OwnedRun& run = parents.add(7);
      parents.store.answers.start_children.next(refused(away));
      parents.children.request();
      CHECK(parents.start_all(steady_start).has_value());
      CHECK(parents.store.take_calls() == one_call);
      CHECK(parents.noted == "");
      CHECK(run.has_child_starts());
      CHECK(parents.lines.text() == "cannot start child runs, retrying: it says no\n");
      CHECK(parents.children.due_at() == steady_start + 100ms);
      CHECK(parents.start_all(steady_start + 100ms - 1ns).has_value());
      CHECK(parents.store.take_calls() == "");
      CHECK(parents.start_all(steady_start + 100ms).has_value());
      CHECK(parents.store.take_calls() == started);
      CHECK_FALSE(parents.children.due_at().has_value());
    }
  }

  TEST_CASE("L8: a parent that somebody's transaction has locked delays only its own child runs") {
    Parents parents;
    const OwnedRun& run = parents.add(7);
    parents.store.answers.start_child.next(refused(ErrorCode::unavailable));
    parents.store.answers.start_child.next(refused(ErrorCode::unavailable));
    parents.children.request();
    CHECK(parents.start_all(steady_start).has_value());
    CHECK(parents.noted == "");
    CHECK(run.has_child_starts());
    CHECK(parents.children.due_at() == steady_start + 100ms);
    parents.store.take_calls();
    parents.add(8);
    parents.children.request();
    CHECK(parents.children.due_at() <= steady_start);
    CHECK(parents.start_all(steady_start + 1ms).has_value());
    CHECK(parents.store.take_calls() == one_call + "  run 8 step 0#1 flow other input 5\n" +
                                            "  run 8 step 1#1 flow another input 5\n");
    parents.children
        .request();  // as the loop does in every round while there is something to start
    CHECK(parents.start_all(steady_start + 2ms).has_value());
    CHECK(parents.store.take_calls() == "");
    CHECK(parents.children.due_at() == steady_start + 100ms);
    CHECK(parents.start_all(steady_start + 100ms).has_value());
    CHECK(parents.store.take_calls() == one_call + start_a + start_b);
    CHECK_FALSE(parents.children.due_at().has_value());
  }

  TEST_CASE("C8: many child runs are started by few calls, between which the loop has its turn") {
    Parents parents;
    for (RunKey key = 1; key <= 75; ++key) parents.add(key);
    parents.children.request();
    std::string calls;
    for (int turns = 1; turns <= 2; ++turns) {
      REQUIRE(parents.children.due_at().has_value());
      CHECK(parents.start_all(steady_start).has_value());
      calls += parents.store.take_calls();
    }
    CHECK_FALSE(parents.children.due_at().has_value());
    CHECK(std::ranges::count(calls, '\n') == 150 + 2);
    CHECK(std::ranges::count(parents.noted, '\n') == 150);
  }

  TEST_CASE("L2: a lost lease is reported and charges no attempt") {
    for (const bool of_the_call : {true, false}) {
      Parents parents;
      parents.add(7);
      parents.add(8);
      if (of_the_call)
        parents.store.answers.start_children.next(refused(ErrorCode::lease_lost));
      else
        parents.store.answers.start_child.next(refused(ErrorCode::lease_lost));
      parents.children.request();
      const auto started = parents.start_all(steady_start);
      REQUIRE_FALSE(started.has_value());
      CHECK(started.error().code == ErrorCode::lease_lost);
      CHECK(parents.noted == "");
    }
  }

  TEST_CASE("C8: a start that is refused fails its attempt for good only if its input is wrong") {
    Parents parents;
    parents.add(7);
    parents.store.answers.start_child.next(
        refused(ErrorCode::not_found, "no flow", "unknown_flow"));
    parents.store.answers.start_child.next(
        refused(ErrorCode::invalid_input, "not that", "bad_input"));
    parents.children.request();
    CHECK(parents.start_all(steady_start).has_value());
    CHECK(parents.noted ==
          "7.0 0.0#1 failed unknown_flow: no flow\n"
          "7.1 1.0#1 failed_for_good bad_input: not that\n");
    CHECK_FALSE(parents.children.due_at().has_value());
  }

  TEST_CASE(
      "C8: a child that completed gives its output and any other end fails its step for good") {
    const auto row = [](RunStatus status) {
      const AttemptResult result = ChildRuns::result_of(
          {.id = "x", .status = status, .output = Json::trusted("3"), .error = "why"}, "other");
      return text_of({.task = {},
                      .outcome = result.outcome,
                      .output = result.output,
                      .error_code = result.error_code,
                      .error = result.error});
    };
    CHECK(row(RunStatus::completed) == "0.0#1 completed 3");
    CHECK(row(RunStatus::failed) ==
          "0.0#1 failed_for_good child_failed: child run x of flow \"other\" failed: why");
    CHECK(
        row(RunStatus::cancelled) ==
        "0.0#1 failed_for_good child_cancelled: child run x of flow \"other\" was cancelled: why");
  }
}
