#include <doctest/doctest.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

using namespace weir;
using namespace std::chrono_literals;

TEST_SUITE("run: control") {
  TEST_CASE("C1: a cancelled run hands out nothing more") {
    DrivenRun run(flow({step("a"), step("b", {"a"})}));
    run.completes("a", "1");
    run.state.cancel("by ann");
    CHECK(run.end() == "cancelled: by ann");
    CHECK(run.ready() == "");
    CHECK_FALSE(run.state.still_needed({run.position("b"), 0}));
  }

  TEST_CASE("C1: a run that has ended is not cancelled any more") {
    DrivenRun run(flow({step("a")}));
    run.completes("a", "1");
    run.state.cancel("too late");
    CHECK(run.end() == R"(completed {"a":1})");
  }

  TEST_CASE("C1: what fails after a cancel changes nothing of the run's end") {
    DrivenRun run(flow({step("a"), step("b")}));
    run.state.cancel("enough");
    run.fails_for_good("a", "no");
    run.is_cancelled("b");
    CHECK(run.end() == "cancelled: enough");
  }

  TEST_CASE("C3: a task tried anew has all its attempts again and is numbered on") {
    FlowDraft draft = flow({step("a")});
    draft.options.max_attempts = 2;
    draft.options.base_delay_ms = 0;
    DrivenRun run(draft);
    run.fails("a", "one");
    run.fails("a", "two");
    CHECK(run.end() == "failed: step \"a\" failed after 2 attempts: two");
    run.is_retried("a");
    CHECK(run.end() == "");
    CHECK(run.ready() == "a#4");
    run.fails("a", "four");
    CHECK(run.end() == "");
    run.fails("a", "five");
    CHECK(run.end() == "failed: step \"a\" failed after 2 attempts: five");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("C3: completed elements of a map are kept and the failed ones alone are tried anew") {
    DrivenRun run(flow({of_kind("map", "each")}), "[1,2,3]");
    run.ready();
    run.completes("each", "1", 0);
    run.fails_for_good("each", "no", 1);
    run.completes("each", "3", 2);
    run.is_retried("each", 1);
    CHECK(run.ready() == "each[1]#3");
    run.completes("each", "2", 1);
    CHECK(run.end() == R"(completed {"each":[1,2,3]})");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("C3: what was cancelled with its run is ready again when it is retried") {
    DrivenRun run(flow({step("a"), step("b")}));
    run.ready();
    run.fails_for_good("a", "no");
    run.is_cancelled("b");
    run.is_retried("a");
    for (const auto& rows : {run.journal, by_key(run.journal)}) {
      RunState again(run.definition, options_of(run.definition), 7, json("null"), DrivenRun::begin);
      for (const JournalRow& row : rows) REQUIRE(again.apply(row).has_value());
      const auto ready = again.take_ready();
      REQUIRE(ready.size() == 2);
      CHECK(ready[0].attempt + ready[1].attempt == 5);
    }
  }

  TEST_CASE("C3: losses are forgiven as well") {
    DrivenRun run(flow({step("a")}));
    for (int i = 0; i <= RunState::losses_max; ++i) run.is_lost("a");
    run.is_retried("a");
    for (int i = 0; i < RunState::losses_max; ++i) run.is_lost("a");
    CHECK(run.end() == "");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("C3: a type violation can be tried anew") {
    DrivenRun run(flow({step("s"), of_kind("map", "m", {"s"})}));
    run.completes("s", "1");
    run.is_retried("s");
    run.completes("s", "[7]");
    CHECK(run.ready() == "m[0]");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("C3: a condition that failed the run fails it again") {
    FlowDraft::Step strict = step("b", {"a"});
    strict.only_if = json(R"({"a": 1})");
    strict.when_unmet = "fail";
    DrivenRun run(flow({step("a"), strict}));
    run.completes("a", "2");
    CHECK(run.replay_difference() == "");
    CHECK(run.state.end()->status == RunStatus::failed);
  }

  TEST_CASE("E1: steps end parents before children") {
    FlowDraft::Step never = step("c", {"b"});
    never.only_if = json(R"({"b": 0})");
    never.when_unmet = "skip_cascade";
    DrivenRun run(flow({step("a"), step("b", {"a"}), never, step("d", {"c"})}));
    CHECK(run.ended() == "");
    run.completes("a", "1");
    CHECK(run.ended() == "a:completed");
    run.completes("b", "2");
    CHECK(run.ended() == "b:completed c:skipped d:skipped");
    CHECK(run.ended() == "");
  }

  TEST_CASE("E1: empty maps end behind what gave them nothing") {
    DrivenRun run(flow({step("a"), of_kind("map", "m", {"a"}), of_kind("map", "n", {"m"})}));
    run.completes("a", "[]");
    CHECK(run.ended() == "a:completed m:completed n:completed");
  }

  TEST_CASE("E1: the step that failed its run is told once") {
    DrivenRun run(flow({of_kind("map", "each")}), "[1,2]");
    run.fails_for_good("each", "no", 0);
    CHECK(run.ended() == "each:failed");
    run.fails_for_good("each", "no", 1);
    CHECK(run.ended() == "");
  }

  TEST_CASE("E1: a step whose condition fails its run has failed") {
    FlowDraft::Step strict = step("a");
    strict.only_if = json("1");
    strict.when_unmet = "fail";
    CHECK(DrivenRun(flow({strict}), "2").ended() == "a:failed");
  }
}
