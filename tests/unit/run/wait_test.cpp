#include <doctest/doctest.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

using namespace weir;
using namespace std::chrono_literals;

namespace {

FlowDraft::Step wait(std::string slug, std::vector<std::string> depends_on = {}) {
  FlowDraft::Step step = of_kind("wait", std::move(slug), std::move(depends_on));
  step.options.timeout_ms = 60'000;
  return step;
}

FlowDraft::Step child(std::string slug, std::vector<std::string> depends_on = {}) {
  FlowDraft::Step step = of_kind("flow", std::move(slug), std::move(depends_on));
  step.flow = "child";
  return step;
}

}  // namespace

TEST_SUITE("run: waits") {
  TEST_CASE("D4: a wait begins when its dependencies have ended and is no task to start") {
    DrivenRun run(flow({step("a"), wait("approval", {"a"}), step("b", {"approval"})}));
    CHECK(run.ready() == "a");
    CHECK(run.waiting() == "");
    run.now += 10s;
    run.completes("a", "1");
    CHECK(run.ready() == "");
    CHECK(run.waiting() == "approval@70");
    CHECK(run.end() == "");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("D4: a wait's time counts from the end of its start delay") {
    FlowDraft::Step late = wait("late");
    late.options.start_delay_ms = 5'000;
    CHECK(DrivenRun(flow({late})).waiting() == "late@65");
  }

  TEST_CASE("C4: a signal ends a wait with its payload") {
    DrivenRun run(flow({wait("approval"), step("b", {"approval"})}));
    run.completes("approval", wait_output(json(R"({"by": "ann"})")).text());
    CHECK(run.waiting() == "");
    CHECK(run.ready() == "b");
    CHECK(run.input_of("b") == R"({"approval":{"signalled":true,"payload":{"by": "ann"}}})");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("D4: a wait whose time is over completes and says so") {
    DrivenRun run(flow({wait("approval")}));
    run.now += 60s;
    run.completes("approval", wait_output(std::nullopt).text());
    CHECK(run.end() == R"(completed {"approval":{"signalled":false}})");
  }

  TEST_CASE("F7: what follows a wait can be chosen by its outcome") {
    FlowDraft::Step escalate = step("escalate", {"approval"});
    escalate.only_if = json(R"({"approval": {"signalled": false}})");
    const FlowDraft draft = flow({wait("approval"), escalate});
    DrivenRun late(draft);
    late.completes("approval", R"({"signalled": false})");
    CHECK(late.ready() == "escalate");
    DrivenRun early(draft);
    early.completes("approval", R"({"signalled": true, "payload": null})");
    CHECK(early.skips() == "escalate:condition_unmet");
  }

  TEST_CASE("C4: no wait is open once the run has failed") {
    DrivenRun run(flow({wait("approval"), step("a")}));
    CHECK(run.waiting() == "approval@60");
    run.fails_for_good("a", "no");
    CHECK(run.waiting() == "");
  }

  TEST_CASE("C3: a wait that was open when its run failed is open once more when it is retried") {
    DrivenRun run(flow({wait("approval"), step("a")}));
    run.fails_for_good("a", "no");
    run.is_retried("a");
    CHECK(run.waiting() == "approval@60");
    CHECK(run.replay_difference() == "");
  }

  TEST_CASE("C4: the row of a wait that has not begun is refused") {
    DrivenRun run(flow({step("a"), wait("approval", {"a"})}));
    const auto folded = run.state.apply(
        {.task = {run.position("approval"), 0}, .output = wait_output(std::nullopt)});
    REQUIRE_FALSE(folded.has_value());
    CHECK(folded.error().message == "run 7, step 1, task 0, attempt 1: the step has no such task");
  }

  TEST_CASE("D4: a wait can only complete") {
    DrivenRun run(flow({wait("approval")}));
    const auto folded = run.state.apply({.task = {0, 0}, .outcome = Outcome::failed});
    REQUIRE_FALSE(folded.has_value());
    CHECK(folded.error().message ==
          "run 7, step 0, task 0, attempt 1: a wait that did not complete");
    CHECK(run.waiting() == "approval@60");
  }
}

TEST_SUITE("run: flow steps") {
  TEST_CASE("C8: a flow step is one task whose input is the run's or its dependency's output") {
    DrivenRun run(flow({child("first"), child("second", {"first"})}), R"({"n": 1})");
    CHECK(run.ready() == "first");
    CHECK(run.input_of("first") == R"({"n": 1})");
    run.completes("first", R"({"out": 2})");
    CHECK(run.ready() == "second");
    CHECK(run.input_of("second") == R"({"out": 2})");
    run.completes("second", "3");
    CHECK(run.end() == R"(completed {"second":3})");
  }

  TEST_CASE("C8: the input of a flow step behind a map is the array of its outputs") {
    DrivenRun run(flow({of_kind("map", "each"), child("c", {"each"})}), "[1]");
    run.completes("each", "5");
    CHECK(run.input_of("c") == "[5]");
  }

  TEST_CASE("C8: a child's failure is the step's and is not tried again") {
    DrivenRun run(flow({child("c"), step("a", {"c"})}));
    run.ready();
    run.fails_for_good("c", "its run failed");
    CHECK(run.end() == "failed: step \"c\" failed for good: its run failed");
  }

  TEST_CASE("F5: a flow step whose child failed is skipped where it says so") {
    FlowDraft::Step optional = child("c");
    optional.when_exhausted = "skip";
    DrivenRun run(flow({optional, child("d", {"c"}), step("a", {"c"})}));
    run.ready();
    run.fails_for_good("c", "its run failed");
    CHECK(run.skips() == "c:handler_failed");
    CHECK(run.ready() == "a d");
    CHECK(run.input_of("d") == "null");
  }

  TEST_CASE("P6: a flow step that feeds a map must return an array as well") {
    DrivenRun run(flow({child("c"), of_kind("map", "m", {"c"})}));
    CHECK(run.ends("c", 0, {.output = json("{}")}).error_code == "type_violation");
    CHECK(run.end() ==
          R"(failed: step "m" maps over the output of "c", which is an object, not an array)");
    DrivenRun list(flow({child("c"), of_kind("map", "m", {"c"})}));
    list.completes("c", "[1,2]");
    CHECK(list.ready() == "m[0] m[1]");
  }
}
