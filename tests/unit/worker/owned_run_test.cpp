#include "worker/owned_run.hpp"

#include <doctest/doctest.h>

#include "integration/worker/test_flow.hpp"
#include "unit/worker/parts.hpp"
#include "unit/worker/start.hpp"
#include "worker/outbox.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// A run of a flow, as it is claimed at `start`.
OwnedRun claimed(const TestFlow& flow, const char* input = "null") {
  const FlowHandle module(flow.module());
  std::vector<StepOptions> options;
  for (const StepDefinition& step : module->definition.steps()) options.push_back(step.options);
  return {{.run = 7, .id = "an-id", .input = Json::trusted(input), .available_at = start},
          module,
          options,
          std::nullopt};
}

JournalRow completed(const ReadyTask& task) {
  return {.task = task.task,
          .attempt = task.attempt,
          .output = Json::trusted("1"),
          .started_at = start,
          .ended_at = start};
}

}  // namespace

TEST_SUITE("worker: owned runs") {
  TEST_CASE("C8, L7: a run knows what nobody has to look for when it ends") {
    const auto relations = [](std::vector<TestFlow::Step> steps, bool has_parent) {
      const TestFlow flow("f", std::move(steps));
      RunBook runs;
      ClaimedRun claim = claim_of(7, "[]");
      claim.has_parent = has_parent;
      return add_run(runs, flow, claim).relations();
    };
    CHECK(relations({{"s", returns("1")}}, false) ==
          Relations{.parent = false, .children = false, .shares = false});
    CHECK(relations({{"s", returns("1")}}, true) ==
          Relations{.parent = true, .children = false, .shares = false});
    CHECK(relations({{"m", returns("1"), {}, "map"}, TestFlow::child("c", {}, "g")}, false) ==
          Relations{.parent = false, .children = true, .shares = true});
  }

  TEST_CASE("C4: a wait that was signalled before it began is over at once") {
    const TestFlow flow("f", {TestFlow::wait("paid", {}, 60'000)});
    OwnedRun run = claimed(flow);
    run.refresh(start);
    CHECK(run.ended_waits(start).empty());
    CHECK(run.wakes_at() == start + 60s);
    run.receive({.count = 1, .signals = {{0, Json::trusted("5")}}});
    run.refresh(start);
    const auto rows = run.ended_waits(start);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].output->text() == R"({"signalled":true,"payload":5})");
    REQUIRE(run.apply(rows[0]).has_value());
    CHECK(run.state().end().has_value());
  }

  TEST_CASE("C4: a wait ends without signal at the moment its time is over") {
    const TestFlow flow("f", {TestFlow::wait("paid", {}, 60'000)});
    OwnedRun run = claimed(flow);
    run.refresh(start);
    CHECK(run.late_waits(start + 60s - 1us).empty());
    CHECK(run.late_waits(start + 60s) == std::vector<std::size_t>{0});
    CHECK(run.ended_waits(start + 60s).empty());
    run.close_wait(0, std::nullopt);
    CHECK(run.late_waits(start + 60s).empty());
    const auto rows = run.ended_waits(start + 60s);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].output->text() == R"({"signalled":false})");
    CHECK(rows[0].started_at == start);
    CHECK(rows[0].ended_at == start + 60s);
  }

  TEST_CASE("C4: a signal that came before the wait was closed counts though its time is over") {
    const TestFlow flow("f", {TestFlow::wait("paid", {}, 60'000)});
    OwnedRun run = claimed(flow);
    run.refresh(start);
    run.close_wait(0, Json::trusted("5"));
    const auto rows = run.ended_waits(start + 61s);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].output->text() == R"({"signalled":true,"payload":5})");
  }

  TEST_CASE(
      "C8: a run whose child goes on is kept for a moment and then sleeps for an hour at most") {
    const TestFlow flow("f", {TestFlow::child("call", {}, "other")});
    OwnedRun run = claimed(flow);
    run.refresh(start);
    CHECK(run.has_child_starts());
    CHECK_FALSE(run.parks(start));
    CHECK(run.take_child_start().task == TaskId{.step = 0, .index = 0});
    CHECK_FALSE(run.has_child_starts());
    CHECK_FALSE(run.parks(start));
    CHECK(run.parks_at(start) == start + OwnedRun::park_after);
    CHECK(run.parks(start + OwnedRun::park_after));
    CHECK(run.sleeps_until() == start + 1h);  // the child may have been lost by a failover
  }

  TEST_CASE("a run is kept the longer the more of its journal would have to be read again") {
    const TestFlow flow("f", {{"s", returns("1"), {}, "map", {.base_delay_ms = 90'000}}});
    OwnedRun run = claimed(flow, "[1, 2]");
    run.refresh(start);
    const ReadyTask first = run.take_due(), second = run.take_due();
    JournalRow row = completed(first);
    row.output = Json::trusted('"' + std::string(100 * OwnedRun::reload_bytes, 'x') + '"');
    REQUIRE(run.apply(row).has_value());
    row = completed(second);
    row.outcome = Outcome::failed;
    row.output.reset();
    REQUIRE(run.apply(row).has_value());
    run.refresh(start);
    const Time again = run.sleeps_until().value();
    CHECK(again >= start + 90s);
    CHECK_FALSE(run.parks(again - OwnedRun::park_after - 100s));
    CHECK(run.parks(again - OwnedRun::park_after - 101s));
  }

  TEST_CASE("C8: the end of a child that another worker started is taken in without starting it") {
    const TestFlow flow("f", {TestFlow::child("call", {}, "other")});
    OwnedRun run = claimed(flow);
    run.receive({.count = 1, .children = {{{0, 1}, {.id = "x", .output = Json::trusted("3")}}}});
    run.refresh(start);
    const auto ends = run.take_child_ends();
    REQUIRE(ends.size() == 1);
    CHECK(ends[0].second.output.text() == "3");
    CHECK_FALSE(run.has_child_starts());
  }

  TEST_CASE("F5: what was not begun of a step that is skipped is not due any more") {
    TestFlow::Step each{.slug = "each", .handler = returns("1"), .kind = "map"};
    each.when_exhausted = "skip";
    const TestFlow flow("f", {each, {"after", returns("1"), {"each"}}});
    OwnedRun run = claimed(flow, "[1, 2, 3]");
    run.refresh(start);
    REQUIRE(run.due() == 3);
    JournalRow row = completed(run.take_due());
    row.outcome = Outcome::failed_for_good;
    row.output.reset();
    REQUIRE(run.apply(row).has_value());
    const auto refreshed = run.refresh(start);
    REQUIRE(refreshed.skips.size() == 1);
    CHECK(refreshed.skips[0].error_code == "handler_failed");
    REQUIRE(run.due() == 1);
    CHECK(run.take_due().task.step == 1);
  }

  TEST_CASE("C1: a run that hears of a cancel is over") {
    const TestFlow flow("f", {{"s", returns("1")}});
    OwnedRun run = claimed(flow);
    run.receive({.count = 1, .cancelled = "enough"});
    run.refresh(start);
    REQUIRE(run.state().end().has_value());
    CHECK(run.state().end()->status == RunStatus::cancelled);
    CHECK(run.state().end()->error == "enough");
  }

  TEST_CASE("E1: events have their names in one place and cost nothing while nobody listens") {
    const TestFlow flow("f", {{"s", returns("1")}});
    const OwnedRun run = claimed(flow);
    Outbox outbox;
    outbox.publish(7, run, EventKind::started);
    CHECK(exchange(outbox, {}, Steady{}).empty());
    outbox.set_listeners(true, true);
    outbox.publish(7, run, EventKind::started);
    outbox.publish(7, run, EventKind::skipped, 0);
    REQUIRE(outbox.request().events.size() == 2);
    CHECK(outbox.request().events[0].name == "run:started");
    const auto told = exchange(outbox, {}, Steady{});
    CHECK(told[1] == RunEvent{.run_id = "an-id", .flow = "f", .name = "step:s:skipped"});
    CHECK(outbox.request().events.empty());
  }
}
