#include <doctest/doctest.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

using namespace weir;

TEST_SUITE("run: end") {
  TEST_CASE("S6: a flow with nothing but empty maps completes without a task") {
    DrivenRun run(flow({of_kind("map", "a"), of_kind("map", "b", {"a"}), of_kind("map", "c")}),
                  "[]");
    CHECK(run.ready() == "");
    CHECK(run.end() == R"(completed {"b":[],"c":[]})");
  }

  TEST_CASE("P7: a run goes on while any step is left") {
    DrivenRun run(flow({step("a"), step("b")}));
    CHECK(run.end() == "");
    run.completes("a", "1");
    CHECK(run.end() == "");
    run.completes("b", "2");
    CHECK(run.end() == R"(completed {"a":1,"b":2})");
  }

  TEST_CASE("P7: the output holds leaves alone") {
    DrivenRun run(flow({step("root"), step("left", {"root"}), of_kind("map", "right", {"root"})}));
    run.completes("root", "[5]");
    run.completes("right", "null");
    run.completes("left", R"("l")");
    CHECK(run.end() == R"(completed {"left":"l","right":[null]})");
  }

  TEST_CASE("F6: nothing is ready once the run has failed") {
    DrivenRun run(flow({step("a"), step("b"), step("c", {"b"})}));
    run.ready();
    run.fails_for_good("a", "no");
    run.completes("b", "1");
    CHECK(run.ready() == "");
    CHECK(run.end() == "failed: step \"a\" failed for good: no");
  }

  TEST_CASE("F6: retries that were ready when the run failed are not handed out") {
    DrivenRun run(flow({step("a"), step("b")}));
    run.ready();
    run.fails("b", "once");
    run.fails_for_good("a", "no");
    CHECK(run.ready() == "");
  }

  TEST_CASE("F6: attempts that end as cancelled with the run change nothing of its end") {
    DrivenRun run(flow({step("a"), step("b")}));
    run.fails_for_good("a", "no");
    run.is_cancelled("b");
    CHECK(run.end() == "failed: step \"a\" failed for good: no");
    CHECK(run.ready() == "");
  }

  TEST_CASE("F6: of two failures the run ends with the earlier one") {
    for (const bool told_first : {true, false}) {
      DrivenRun run(flow({step("a"), step("b")}));
      run.now += std::chrono::seconds(told_first ? 1 : 2);
      run.fails_for_good("a", "one");
      run.now = DrivenRun::begin + std::chrono::seconds(told_first ? 2 : 1);
      run.fails_for_good("b", "two");
      CHECK(run.end() == (told_first ? "failed: step \"a\" failed for good: one"
                                     : "failed: step \"b\" failed for good: two"));
      CHECK(run.state.end()->failed_step == run.position(told_first ? "a" : "b"));
    }
  }

  TEST_CASE("F1: a run that failed is folded by key as it was committed") {
    // "a" stands first, but "b" and "c" had completed before it failed.
    DrivenRun run(flow({step("a"), step("b"), step("c", {"b"}), step("d", {"c"})}));
    run.completes("b", "1");
    run.completes("c", "2");
    run.is_cancelled("d");
    run.fails_for_good("a", "no");
    RunState again(run.definition, options_of(run.definition), 7, json("null"), DrivenRun::begin);
    for (const JournalRow& row : by_key(run.journal)) {
      const auto folded = again.apply(row);
      REQUIRE_MESSAGE(folded.has_value(), to_string(folded.error()));
    }
    REQUIRE(again.end().has_value());
    CHECK(again.end()->error == run.state.end()->error);
    CHECK(again.take_ready().empty());
  }

  TEST_CASE("F1: fewer attempts allowed than were made do not undo what came after") {
    const FlowDraft draft = flow({step("a"), step("b", {"a"})});
    DrivenRun run(draft);
    run.fails("a", "one");
    run.fails("a", "two");
    run.completes("a", "1");
    auto options = options_of(run.definition);
    for (StepOptions& each : options) each.max_attempts = 1;
    RunState again(run.definition, options, 7, json("null"), DrivenRun::begin);
    for (const JournalRow& row : run.journal) REQUIRE(again.apply(row).has_value());
    CHECK_FALSE(again.end().has_value());
    const auto ready = again.take_ready();
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].task == TaskId{run.position("b"), 0});
  }
}
