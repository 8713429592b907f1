#include <doctest/doctest.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

using namespace weir;
using namespace std::chrono_literals;

namespace {

FlowDraft::Step only_if(FlowDraft::Step step, std::string_view pattern,
                        std::optional<std::string> when_unmet = {}) {
  step.only_if = json(pattern);
  step.when_unmet = std::move(when_unmet);
  return step;
}

FlowDraft::Step exhausted(FlowDraft::Step step, std::string when_exhausted) {
  step.when_exhausted = std::move(when_exhausted);
  step.options.max_attempts = 2;
  step.options.base_delay_ms = 0;
  return step;
}

}  // namespace

TEST_SUITE("run: skipped steps") {
  TEST_CASE("F7: a root's conditions are held against the run's input") {
    DrivenRun run(flow({only_if(step("a"), R"({"vip": true})"), step("b", {"a"})}),
                  R"({"vip": true, "id": 1})");
    CHECK(run.ready() == "a");
    CHECK(run.skips() == "");
    DrivenRun other(flow({only_if(step("a"), R"({"vip": true})"), step("b", {"a"})}),
                    R"({"vip": false})");
    CHECK(other.skips() == "a:condition_unmet");
    CHECK(other.ready() == "b");
    CHECK(other.input_of("b") == "{}");
  }

  TEST_CASE("F7: any other step's conditions are held against what its dependencies returned") {
    const FlowDraft draft =
        flow({step("a"), step("b"), only_if(step("c", {"a", "b"}), R"({"a": {"ok": true}})")});
    DrivenRun run(draft, R"({"a": {"ok": true}})");
    run.ready();
    run.completes("a", R"({"ok": true, "n": 1})");
    CHECK(run.ready() == "");
    run.completes("b", "1");
    CHECK(run.ready() == "c");
    DrivenRun other(draft, R"({"a": {"ok": true}})");
    other.completes("a", R"({"ok": false})");
    CHECK(other.skips() == "");
    other.completes("b", "1");
    CHECK(other.skips() == "c:condition_unmet");
    CHECK(other.end() ==
          "completed null (no output: every final step was skipped: "
          "\"c\" (condition_unmet))");
  }

  TEST_CASE("F7: what was skipped is absent from what conditions see") {
    FlowDraft::Step fallback = step("fallback", {"a"});
    fallback.unless = json(R"({"a": {}})");
    DrivenRun run(flow({only_if(step("a"), R"({"go": true})"), fallback}), "{}");
    CHECK(run.ready() == "fallback");
    CHECK(run.skips() == "a:condition_unmet");
    run.completes("fallback", "2");
    CHECK(run.end() == R"(completed {"fallback":2})");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("F7: a condition that is unmet fails the run where it says so") {
    DrivenRun run(flow({step("a"), only_if(step("b", {"a"}), R"({"a": {"paid": true}})", "fail")}));
    run.ready();
    run.completes("a", R"({"paid": false})");
    CHECK(run.end() ==
          "failed: step \"b\": its condition is not met: what its dependencies "
          "returned does not contain {\"a\": {\"paid\": true}}");
    CHECK(run.state.end()->failed_step == run.position("b"));
    CHECK(run.skips() == "");
    CHECK(run.ready() == "");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("F7: the end that an unmet condition gave a run is found again in its journal") {
    for (const auto later : {1s, -1s}) {
      DrivenRun run(
          flow({step("a"), only_if(step("b", {"a"}), R"({"a": 1})", "fail"), step("beside")}));
      run.now += 10s;
      run.completes("a", "2");
      CHECK(run.state.end()->failed_step == run.position("b"));
      run.now += later;
      run.fails_for_good("beside", "no");
      CHECK(run.state.end()->failed_step == run.position(later > 0s ? "b" : "beside"));
      CHECK(run.replay_difference() == "");
    }
  }

  TEST_CASE("F7: the condition of a root that fails is told as the input's") {
    FlowDraft::Step root = step("a");
    root.unless = json("[13]");
    root.when_unmet = "fail";
    CHECK(DrivenRun(flow({root}), "[1,13]").end() ==
          "failed: step \"a\": its condition is not met: the run's input contains [13]");
  }

  TEST_CASE("F7: fail is looked at first among steps that become decidable together") {
    DrivenRun run(flow({step("a"), only_if(step("b", {"a"}), R"({"a": 1})"),
                        only_if(step("c", {"a"}), R"({"a": 1})", "fail"),
                        only_if(step("d", {"a"}), R"({"a": 1})", "skip_cascade")}));
    run.completes("a", "2");
    CHECK(run.skips() == "");
    CHECK(run.state.end()->failed_step == run.position("c"));
  }

  TEST_CASE("F7: skip_cascade skips whatever depends on the step however far down") {
    DrivenRun run(flow({only_if(step("a"), "1", "skip_cascade"), step("b", {"a"}), step("other"),
                        step("c", {"b", "other"}), step("d", {"c"})}),
                  "2");
    CHECK(run.skips() ==
          "a:condition_unmet b:dependency_skipped c:dependency_skipped d:dependency_skipped");
    CHECK(run.ready() == "other");
    run.completes("other", "1");
    CHECK(run.ready() == "");
    CHECK(run.end() ==
          "completed null (no output: every final step was skipped: \"d\" (dependency_skipped))");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("F5: a step that is skipped once exhausted lets its dependents go on") {
    DrivenRun run(flow({exhausted(step("a"), "skip"), step("b", {"a"})}));
    run.fails("a", "one");
    CHECK(run.skips() == "");
    run.fails("a", "two");
    CHECK(run.skips() == "a:handler_failed");
    CHECK(run.ready() == "b");
    CHECK(run.input_of("b") == "{}");
    run.completes("b", "1");
    CHECK(run.end() == R"(completed {"b":1})");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("F5: a failure for good or a fourth loss exhausts a step too") {
    DrivenRun good(flow({exhausted(step("a"), "skip")}));
    good.fails_for_good("a", "no");
    CHECK(good.skips() == "a:handler_failed");
    DrivenRun lost(flow({exhausted(step("a"), "skip")}));
    for (int i = 0; i <= RunState::losses_max; ++i) lost.is_lost("a");
    CHECK(lost.skips() == "a:handler_failed");
    CHECK(lost.replay_difference() == "");
  }

  TEST_CASE("F5: skip_cascade skips all downstream of an exhausted step") {
    DrivenRun run(flow(
        {exhausted(step("a"), "skip_cascade"), step("b", {"a"}), step("c", {"b"}), step("z")}));
    run.ready();
    run.fails_for_good("a", "no");
    CHECK(run.skips() == "a:handler_failed b:dependency_skipped c:dependency_skipped");
    CHECK(run.ready() == "");
    run.completes("z", "1");
    CHECK(run.end() == R"(completed {"z":1})");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("F5: one exhausted element skips its map and what the others return is ignored") {
    DrivenRun run(flow({exhausted(of_kind("map", "each"), "skip"), step("sum", {"each"})}),
                  "[1,2,3]");
    CHECK(run.ready() == "each[0] each[1] each[2]");
    run.completes("each", "1", 0);
    CHECK(run.state.still_needed({run.position("each"), 2}));
    run.fails_for_good("each", "no", 1);
    CHECK_FALSE(run.state.still_needed({run.position("each"), 2}));
    CHECK(run.skips() == "each:handler_failed");
    run.completes("each", "3", 2);
    CHECK(run.ready() == "sum");
    CHECK(run.input_of("sum") == "{}");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("F5: no retry of a skipped step is handed out") {
    DrivenRun run(flow({exhausted(of_kind("map", "each"), "skip"), step("z")}), "[1,2]");
    run.ready();
    run.fails("each", "once", 0);
    run.fails_for_good("each", "no", 1);
    CHECK(run.ready() == "");
    CHECK(run.skips() == "each:handler_failed");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("F5: a journaled skip holds though more attempts are allowed now") {
    DrivenRun run(flow({exhausted(step("a"), "skip"), step("b", {"a"})}));
    run.fails("a", "one");
    run.fails("a", "two");
    run.skips();
    auto options = options_of(run.definition);
    for (StepOptions& each : options) each.max_attempts = 100;
    for (const auto& rows : {run.journal, by_key(run.journal)}) {
      RunState again(run.definition, options, 7, json("null"), DrivenRun::begin);
      for (const JournalRow& row : rows) REQUIRE(again.apply(row).has_value());
      const auto ready = again.take_ready();
      REQUIRE(ready.size() == 1);
      CHECK(ready[0].task.step == run.position("b"));
      CHECK(again.take_skips().empty());
    }
  }

  TEST_CASE("F5: fewer attempts allowed than were made skip nothing that went on") {
    DrivenRun run(flow({exhausted(step("a"), "skip"), step("b", {"a"})}));
    run.fails("a", "one");
    run.completes("a", "1");
    run.completes("b", "2");
    auto options = options_of(run.definition);
    for (StepOptions& each : options) each.max_attempts = 1;
    RunState again(run.definition, options, 7, json("null"), DrivenRun::begin);
    for (const JournalRow& row : run.journal) REQUIRE(again.apply(row).has_value());
    CHECK(again.take_skips().empty());
    CHECK(again.end()->output == json(R"({"b":2})"));
  }

  TEST_CASE("F5: a type violation fails the run whatever becomes of exhausted attempts") {
    DrivenRun run(flow({exhausted(step("s"), "skip"), of_kind("map", "m", {"s"})}));
    run.completes("s", "1");
    CHECK(run.end() ==
          R"(failed: step "m" maps over the output of "s", which is a number, not an array)");
    CHECK(run.skips() == "");
  }

  TEST_CASE("F5: a run that failed skips nothing more") {
    DrivenRun run(flow({step("a"), exhausted(step("b"), "skip")}));
    run.fails_for_good("a", "no");
    run.fails_for_good("b", "no");
    CHECK(run.skips() == "");
    CHECK(run.end() == "failed: step \"a\" failed for good: no");
  }

  TEST_CASE("F8: a skip's row names its reason and stands under task 0 and attempt 0") {
    DrivenRun run(flow({exhausted(step("a"), "skip_cascade"), step("b", {"a"})}));
    run.now += 5s;
    run.fails_for_good("a", "no");
    const auto rows = run.state.take_skips();
    REQUIRE(rows.size() == 2);
    for (const JournalRow& row : rows) {
      CHECK(row.outcome == Outcome::skipped);
      CHECK(row.attempt == 0);
      CHECK(row.task.index == 0);
      CHECK(row.ended_at == run.now);
      CHECK(row.started_at == run.now);
    }
    CHECK(rows[0].error_code == "handler_failed");
    CHECK(rows[1].error_code == "dependency_skipped");
    CHECK(run.state.take_skips().empty());
  }

  TEST_CASE("P1: a step is ready once each dependency is completed or plainly skipped") {
    DrivenRun run(flow({step("a"), exhausted(step("b"), "skip"), step("c", {"a", "b"})}));
    run.ready();
    run.fails_for_good("b", "no");
    CHECK(run.ready() == "");
    run.completes("a", "1");
    CHECK(run.ready() == "c");
  }

  TEST_CASE("P2: a skipped dependency is absent from a step's input and a null one is null") {
    DrivenRun run(flow({step("a"), exhausted(step("b"), "skip"), step("c", {"a", "b"})}));
    run.completes("a", "null");
    run.fails_for_good("b", "no");
    CHECK(run.input_of("c") == R"({"a":null})");
  }

  TEST_CASE("P3: a map over a skipped step has no tasks and gives an empty array") {
    DrivenRun run(flow({exhausted(step("s"), "skip"), of_kind("map", "m", {"s"}),
                        of_kind("map", "n", {"m"}), step("sum", {"n"})}));
    run.fails_for_good("s", "no");
    CHECK(run.ready() == "sum");
    CHECK(run.input_of("sum") == R"({"n":[]})");
  }

  TEST_CASE("P3: a map over a skipped map has no tasks") {
    DrivenRun run(flow({exhausted(of_kind("map", "m"), "skip"), of_kind("map", "n", {"m"})}),
                  "[1,2]");
    run.fails_for_good("m", "no", 1);
    CHECK(run.end() == R"(completed {"n":[]})");
  }

  TEST_CASE("P7: the output holds completed leaves alone") {
    DrivenRun run(flow({step("a"), exhausted(step("b"), "skip"), step("c")}));
    run.completes("a", "1");
    run.fails_for_good("b", "no");
    run.completes("c", "null");
    CHECK(run.end() == R"(completed {"a":1,"c":null})");
  }

  TEST_CASE("P7: a run all of whose leaves were skipped completes with null and says so") {
    DrivenRun run(flow(
        {exhausted(step("a"), "skip"), exhausted(step("b"), "skip_cascade"), step("c", {"b"})}));
    run.fails_for_good("a", "no");
    run.fails_for_good("b", "no");
    REQUIRE(run.state.end().has_value());
    CHECK(run.state.end()->output == Json());
    CHECK(run.state.end()->note ==
          "no output: every final step was skipped: \"a\" "
          "(handler_failed), \"c\" (dependency_skipped)");
  }

  TEST_CASE("S6: a flow whose conditions leave nothing to do completes at once") {
    DrivenRun run(flow({only_if(step("a"), "1"), only_if(step("b"), "1")}), "2");
    CHECK(run.ready() == "");
    CHECK(run.skips() == "a:condition_unmet b:condition_unmet");
    CHECK(run.state.end()->status == RunStatus::completed);
  }

  TEST_CASE("D3: a start delay behind a skipped step counts from when it was skipped") {
    DrivenRun run(
        flow({exhausted(step("a"), "skip"), step("late", {"a"}, {.start_delay_ms = 5'000})}));
    run.now += 10s;
    run.fails_for_good("a", "no");
    const auto late = run.ready_tasks();
    REQUIRE(late.size() == 1);
    CHECK(late[0].not_before == DrivenRun::begin + 15s);
  }
}
