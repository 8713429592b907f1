#include <doctest/doctest.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

using namespace weir;
using namespace std::chrono_literals;

TEST_SUITE("run: readiness") {
  TEST_CASE("P1: roots are ready at once and a join waits for the last of its dependencies") {
    DrivenRun run(flow({step("a"), step("b"), step("join", {"a", "b"})}));
    CHECK(run.ready() == "a b");
    run.completes("b", "2");
    CHECK(run.ready() == "");
    run.completes("a", "1");
    CHECK(run.ready() == "join");
  }

  TEST_CASE("P1: a step that follows a map waits for every element") {
    DrivenRun run(flow({of_kind("map", "each"), step("sum", {"each"})}), "[1,2,3]");
    CHECK(run.ready() == "each[0] each[1] each[2]");
    run.completes("each", "1", 2);
    run.completes("each", "1", 0);
    CHECK(run.ready() == "");
    run.completes("each", "1", 1);
    CHECK(run.ready() == "sum");
  }

  TEST_CASE("P1: nothing is handed out twice") {
    DrivenRun run(flow({step("a"), step("b")}));
    CHECK(run.ready() == "a b");
    CHECK(run.ready() == "");
    run.completes("a", "1");
    CHECK(run.ready() == "");
  }

  TEST_CASE("P1: what the journal holds already is not handed out after a restart") {
    DrivenRun run(flow({step("a"), step("b", {"a"}), step("c", {"b"})}));
    run.completes("a", "1");
    run.fails("b", "boom");
    CHECK(run.ready() == "b#2");
  }

  TEST_CASE("D3: a start delay counts from when the last dependency ended") {
    DrivenRun run(
        flow({step("a"), step("b"), step("late", {"a", "b"}, {.start_delay_ms = 5'000})}));
    run.ready_tasks();
    run.now += 10s;
    run.completes("b", "1");
    run.now += 10s;
    run.completes("a", "1");
    const auto late = run.ready_tasks();
    REQUIRE(late.size() == 1);
    CHECK(late[0].not_before == DrivenRun::begin + 25s);
  }

  TEST_CASE("D3: a start delay behind a map over nothing counts from what came before the map") {
    DrivenRun run(flow({step("list"), of_kind("map", "each", {"list"}),
                        step("late", {"each"}, {.start_delay_ms = 5'000})}));
    run.ready_tasks();
    run.now += 10s;
    run.completes("list", "[]");
    const auto late = run.ready_tasks();
    REQUIRE(late.size() == 1);
    CHECK(late[0].not_before == DrivenRun::begin + 15s);
  }

  TEST_CASE("D3: a root's start delay counts from when the run could first begin") {
    DrivenRun run(flow({step("late", {}, {.start_delay_ms = 60'000})}));
    const auto ready = run.ready_tasks();
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].not_before == DrivenRun::begin + 60s);
  }

  TEST_CASE("D3: a start delay is waited for once and not again by a retry") {
    DrivenRun run(flow({step("late", {}, {.base_delay_ms = 0, .start_delay_ms = 60'000})}));
    run.ready_tasks();
    run.now += 61s;
    run.fails("late", "boom");
    const auto retry = run.ready_tasks();
    REQUIRE(retry.size() == 1);
    CHECK(retry[0].attempt == 2);
    CHECK(retry[0].not_before == run.now);
  }

  TEST_CASE("D3: every element of a map waits for the step's start delay") {
    FlowDraft draft = flow({of_kind("map", "each")});
    draft.steps[0].options.start_delay_ms = 2'000;
    DrivenRun run(draft, "[1,2]");
    const auto ready = run.ready_tasks();
    REQUIRE(ready.size() == 2);
    CHECK(ready[0].not_before == DrivenRun::begin + 2s);
    CHECK(ready[1].not_before == DrivenRun::begin + 2s);
  }
}
