#include "worker/run_advancer.hpp"

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"
#include "worker/ask_pause.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// A loop with runs of flows of the test, which tells what its next exchange would send.
struct Advancing : TestLoop {
  bool held_back = false;
  RunAdvancer advancer{loop, attempts, [this](const OwnedRun&, Steady) { return held_back; }};

  OwnedRun& add(const TestFlow& flow, RunKey key = 7, const char* input = "null") {
    return add_run(loop.runs, flow, claim_of(key, input));
  }
  void advance() { advancer.advance(now); }
  // One round up to the exchange, and its answer.
  void exchange() {
    attempts.collect(now);
    advance();
    attempts.pick([](const OwnedRun& run) { return run.ending; },
                  [](RunKey, OwnedRun&, std::size_t) {});
    start_stated();
    loop.runs.remove_leaving([](RunKey) { return true; });
    testing::exchange(loop.outbox, {}, steady_start);
  }
  // Ends the handlers that were given to slots, and takes their results.
  void end_all(const AttemptResult& result) {
    for (const auto& attempt : std::exchange(slots.given, {})) {
      FakeSlots::begin(*attempt, now);
      slots.end(attempt, result, now);
    }
    attempts.collect(now);
  }
  std::string released() const {
    std::string all;
    for (const ReleasedRun& each : loop.outbox.request().released)
      all += fmt::format("{} {}\n", each.run,
                         !each.wake_at ? "at once"
                         : *each.wake_at == on_notification_only
                             ? "when told"
                             : fmt::format("after {} ms", (*each.wake_at - start) / 1ms));
    return all;
  }
  std::string ended() const {
    std::string all;
    for (const EndedRun& each : loop.outbox.request().ended)
      all += fmt::format("{} {} {}{}\n", each.run, static_cast<int>(each.end.status),
                         each.end.output.text(), each.end.error);
    return all;
  }
  std::string events() const {
    std::string all;
    for (const PublishedEvent& each : loop.outbox.request().events)
      all += fmt::format("{} {}\n", each.run, each.name);
    return all;
  }
};

}  // namespace

TEST_SUITE("worker: run advancer") {
  TEST_CASE("a run whose last step ended is closed with the row of its last attempt") {
    const TestFlow flow("f", {{"s", returns("1")}});
    Advancing worker;
    OwnedRun& run = worker.add(flow);
    worker.exchange();
    CHECK_FALSE(run.leaving);
    worker.end_all(completes("5"));
    worker.advance();
    CHECK(worker.settled() == "7:0.0#1 completed 5\n");
    CHECK(worker.ended() == "7 1 {\"s\":5}\n");
    CHECK(run.leaving);
    worker.advance();
    CHECK(worker.ended() == "7 1 {\"s\":5}\n");
    CHECK(worker.released() == "");
  }

  TEST_CASE("F5: a skipped step's row is in the same exchange as the row that it follows from") {
    TestFlow::Step first{"first", returns("1")};
    first.when_exhausted = "skip_cascade";
    const TestFlow flow("f", {first, {"second", returns("1"), {"first"}}});
    Advancing worker;
    worker.add(flow);
    worker.exchange();
    worker.end_all(fails(Outcome::failed_for_good));
    worker.advance();
    CHECK(worker.settled() ==
          "7:0.0#1 failed_for_good test: broken\n"
          "7:0.0#0 skipped handler_failed\n"
          "7:1.0#0 skipped dependency_skipped\n");
    CHECK(worker.ended() == "7 1 null\n");
  }

  TEST_CASE("F5: what still runs of a step that is skipped is stopped") {
    TestFlow::Step each{"each", returns("1"), {}, "map"};
    each.when_exhausted = "skip";
    const TestFlow flow("f", {each});
    Advancing worker;
    OwnedRun& run = worker.add(flow, 7, "[1, 2]");
    const TestFlow other("g", {{"after", returns("1"), {"each"}}, each});
    OwnedRun& goes_on = worker.add(other, 8, "[1, 2]");
    worker.exchange();
    const auto given = std::exchange(worker.slots.given, {});
    REQUIRE(given.size() == 4);
    for (const auto& attempt : given) {
      FakeSlots::begin(*attempt, worker.now);
      if (attempt->task.index == 0)
        worker.slots.end(attempt, fails(Outcome::failed_for_good), worker.now);
    }
    worker.attempts.collect(worker.now);
    worker.advance();
    for (const auto& attempt : given)
      CHECK(attempt->stop.cancelled() == (attempt->task.index == 1));
    CHECK(run.leaving);  // it ended: what ran of it is cancelled
    CHECK_FALSE(goes_on.leaving);
    CHECK(goes_on.in_flight == 1);
    CHECK(goes_on.due() == 1);
  }

  TEST_CASE("F6: when a run fails its other attempts end as cancelled in the same exchange") {
    const TestFlow flow("f", {{"a", returns("1")}, {"b", returns("1")}});
    Advancing worker;
    OwnedRun& run = worker.add(flow);
    worker.exchange();
    const auto given = worker.slots.given;
    REQUIRE(given.size() == 2);
    FakeSlots::begin(*given[0], worker.now);
    worker.slots.end(given[0], fails(Outcome::failed_for_good), worker.now);
    worker.attempts.collect(worker.now);
    worker.advance();
    CHECK(worker.settled() ==
          "7:0.0#1 failed_for_good test: broken\n"
          "7:1.0#1 cancelled run_ended: the run ended while this ran\n");
    CHECK(worker.ended() == "7 2 nullstep \"a\" failed for good: broken\n");
    CHECK(given[1]->stop.cancelled());
    CHECK(run.in_flight == 0);
  }

  TEST_CASE("C1: a run that was cancelled ends and its handlers learn of it") {
    const TestFlow flow("f", {{"s", returns("1")}});
    Advancing worker;
    worker.loop.outbox.set_listeners(false, true);
    OwnedRun& run = worker.add(flow);
    worker.exchange();
    run.receive({.count = 1, .cancelled = "enough"});
    worker.advance();
    CHECK(worker.settled() == "7:0.0#1 cancelled run_ended: the run ended while this ran\n");
    CHECK(worker.ended() == "7 3 nullenough\n");
    CHECK(worker.events() == "7 run:cancelled\n");
    CHECK(worker.slots.given.at(0)->stop.cancelled());
  }

  TEST_CASE("C9: a run that is over stays open until its handlers' own transactions are resolved") {
    const TestFlow flow("f", {{"s", returns("1")}});
    Advancing worker;
    OwnedRun& run = worker.add(flow);
    worker.exchange();
    CHECK(worker.slots.given.at(0)->gate.take());
    run.receive({.count = 1, .cancelled = "enough"});
    for (int round = 0; round < 2; ++round) {
      worker.advance();
      CHECK(worker.ended() == "");
      CHECK(worker.settled() == "");
      CHECK(run.ending);
      CHECK_FALSE(run.leaving);
    }
    worker.store.answers.resolve.next(JournalRow{.task = {}, .output = Json::trusted("1")});
    CHECK(worker.attempts.resolve(worker.now).has_value());
    worker.advance();
    CHECK(worker.ended() == "7 3 nullenough\n");
    CHECK(run.leaving);
  }

  TEST_CASE("C4: waits whose time is over are closed in the database before they end") {
    const TestFlow flow("f", {TestFlow::wait("paid", {}, 60'000)});
    Advancing worker;
    OwnedRun& run = worker.add(flow);
    OwnedRun& leaving = worker.add(flow, 8);
    OwnedRun& told = worker.add(flow, 9);
    for (OwnedRun* each : {&run, &leaving, &told}) each->refresh(start);
    leaving.leaving = true;
    worker.advancer.close_waits();
    CHECK(worker.store.take_calls() == "");
    worker.now = steady_start + 60s;
    worker.store.answers.close_waits.next(refused(ErrorCode::unavailable));
    worker.advancer.close_waits();
    CHECK(worker.store.take_calls() == "close_waits worker 1 run 7 step 0 run 9 step 0\n");
    worker.advance();
    CHECK(worker.settled() == "");
    worker.now += ask_pause_first;
    worker.store.answers.close_waits.next(
        FakeStore::Closed{{{7, 0}, std::nullopt}, {{9, 0}, Json::trusted("5")}});
    worker.advancer.close_waits();
    worker.advance();
    CHECK(worker.settled() ==
          "7:0.0#1 completed {\"signalled\":false}\n"
          "9:0.0#1 completed {\"signalled\":true,\"payload\":5}\n");
    worker.store.take_calls();
    worker.advancer.close_waits();
    CHECK(worker.store.take_calls() == "");
  }

  TEST_CASE(
      "C4: a wait that somebody's open transaction keeps undecided is asked about ever less") {
    const TestFlow flow("f", {TestFlow::wait("paid", {}, 60'000)});
    Advancing worker;
    worker.add(flow).refresh(start);
    int calls = 0;
    const Steady over = steady_start + 60s;
    // As the loop does: it sleeps until the run is due, and for a millisecond at least.
    for (worker.now = over; worker.now < over + 10s;) {
      worker.advancer.close_waits();
      if (worker.store.take_calls() == "close_waits worker 1 run 7 step 0\n") ++calls;
      worker.advance();
      CHECK(worker.settled() == "");
      const Time now = worker.loop.database_now();
      const auto next = worker.loop.runs.wakes_at(now);
      REQUIRE(next.has_value());
      worker.now += std::max<Duration>(*next - now, 1ms);
    }
    CHECK(calls >= 20);
    CHECK(calls <= 30);
    worker.store.answers.close_waits.next(FakeStore::Closed{{{7, 0}, std::nullopt}});
    worker.advancer.close_waits();
    worker.advance();
    CHECK(worker.settled() == "7:0.0#1 completed {\"signalled\":false}\n");
  }

  TEST_CASE("C4: what follows from a signal is decided in the same round") {
    const TestFlow flow("f", {TestFlow::wait("paid", {}, 60'000), {"s", returns("1"), {"paid"}}});
    Advancing worker;
    OwnedRun& run = worker.add(flow);
    run.receive({.count = 1, .signals = {{0, Json::trusted("5")}}});
    worker.advance();
    CHECK(worker.settled() == "7:0.0#1 completed {\"signalled\":true,\"payload\":5}\n");
    CHECK(run.due() == 1);
    CHECK_FALSE(run.leaving);
  }

  TEST_CASE("a run that only sleeps for longer than a second is released until it wakes") {
    const TestFlow parks("f", {TestFlow::wait("paid", {}, 60'000)});
    const TestFlow stays("g", {TestFlow::wait("paid", {}, 1'000)});
    Advancing worker;
    OwnedRun& run = worker.add(parks);
    OwnedRun& other = worker.add(stays, 8);
    worker.advance();
    CHECK(worker.released() == "7 after 60000 ms\n");
    CHECK(run.leaving);
    CHECK_FALSE(other.leaving);
    worker.advance();
    CHECK(worker.released() == "7 after 60000 ms\n");
  }

  TEST_CASE("L5: a worker that drains releases runs in which nothing is in flight") {
    const TestFlow flow("f", {{"s", returns("1")}});
    Advancing worker;
    OwnedRun& running = worker.add(flow);
    worker.exchange();
    OwnedRun& due = worker.add(flow, 8);
    const TestFlow parent("g", {TestFlow::child("call", {}, "other")});
    worker.add(parent, 9);
    worker.loop.drain_until = worker.now + 30s;
    worker.advance();
    CHECK(worker.released() == "8 at once\n9 at once\n");
    CHECK_FALSE(running.leaving);
    CHECK(due.leaving);
    CHECK(worker.advancer.start_child_runs().has_value());
    CHECK(worker.store.take_calls() == "");
  }

  TEST_CASE("C2: a held run is released once nothing of it is in flight") {
    const TestFlow flow("f", {{"s", returns("1"), {}, "single", {.base_delay_ms = 0}}});
    Advancing worker;
    OwnedRun& run = worker.add(flow);
    worker.exchange();
    worker.held_back = true;
    worker.advance();
    CHECK_FALSE(run.leaving);
    worker.end_all(fails());
    worker.advance();
    CHECK(worker.released() == "7 at once\n");
    CHECK(worker.ended() == "");
  }

  TEST_CASE("C8: child runs are started in their turn and end with what they returned") {
    const TestFlow flow("f", {TestFlow::child("call", {}, "other")});
    Advancing worker;
    worker.loop.outbox.set_listeners(false, true);
    OwnedRun& run = worker.add(flow);
    CHECK_FALSE(worker.advancer.child_runs_due_at().has_value());
    worker.advance();
    CHECK(worker.store.take_calls() == "");
    CHECK(worker.advancer.child_runs_due_at() <= worker.now);
    CHECK(worker.advancer.start_child_runs().has_value());
    CHECK(worker.store.take_calls() ==
          "start_children worker 1 lease 15000\n"
          "  run 7 step 0#1 flow other input null\n");
    CHECK(worker.events() == "7 step:call:started\n");
    exchange(worker.loop.outbox, {}, steady_start);
    worker.advance();
    CHECK(worker.released() == "");
    worker.now = steady_start + 1s;
    run.receive({.count = 1, .children = {{{0, 1}, {.id = "x", .output = Json::trusted("3")}}}});
    worker.advance();
    CHECK(worker.settled() == "7:0.0#1 completed 3\n");
    CHECK(worker.loop.outbox.request().settled[0].row.started_at == start);
    CHECK(worker.loop.outbox.request().settled[0].row.ended_at == start + 1s);
    CHECK(worker.ended() == "7 1 {\"call\":3}\n");
    CHECK(worker.events() == "7 step:call:completed\n7 run:completed\n");
  }

  TEST_CASE(
      "C8: a run whose child goes on is released after a second until it is told or for an hour") {
    const TestFlow flow("f", {TestFlow::child("call", {}, "other")});
    Advancing worker;
    worker.add(flow);
    worker.advance();
    CHECK(worker.advancer.start_child_runs().has_value());
    worker.now = steady_start + 1s - 1us;
    worker.advance();
    CHECK(worker.released() == "");
    worker.now = steady_start + 1s;
    worker.advance();
    CHECK(worker.released() == "7 after 3600000 ms\n");
  }

  TEST_CASE("C8: a child run that cannot be started fails an attempt of its step") {
    const TestFlow flow("f", {TestFlow::child("call", {}, "other")});
    Advancing worker;
    worker.add(flow);
    worker.advance();
    worker.store.answers.start_child.next(
        refused(ErrorCode::invalid_input, "not that", "bad_input"));
    CHECK(worker.advancer.start_child_runs().has_value());
    CHECK(worker.settled() == "7:0.0#1 failed_for_good bad_input: not that\n");
    CHECK(worker.lines.with_levels() ==
          "info: run run-7: f.call attempt 1 failed_for_good: not that\n");
    worker.advance();
    CHECK(worker.ended() == "7 2 nullstep \"call\" failed for good: not that\n");
  }

  TEST_CASE("L2: a lease that is lost when a child run starts is reported") {
    const TestFlow flow("f", {TestFlow::child("call", {}, "other")});
    Advancing worker;
    worker.add(flow);
    worker.advance();
    worker.store.answers.start_child.next(refused(ErrorCode::lease_lost));
    const auto started = worker.advancer.start_child_runs();
    REQUIRE_FALSE(started.has_value());
    CHECK(started.error().code == ErrorCode::lease_lost);
    CHECK(worker.settled() == "");
  }

  TEST_CASE("L7: the row of a shared element is folded and not journaled again") {
    const TestFlow flow("f", {{"each", returns("1"), {}, "map"}});
    Advancing worker;
    OwnedRun& run = worker.add(flow, 7, "[1]");
    run.shared[{.step = 0, .index = 0}] = 1;
    worker.advance();
    CHECK(run.due() == 0);
    CHECK(worker.released() == "");
    run.shared.clear();
    worker.advancer.fold_shared_row(7, run, {.task = {}, .output = Json::trusted("4")});
    worker.advance();
    CHECK(worker.settled() == "");
    CHECK(worker.ended() == "7 1 {\"each\":[4]}\n");
  }

  TEST_CASE("L7: a row that is impossible fails its run and refuses what is in flight of it") {
    const TestFlow flow("f", {{"each", returns("1"), {}, "map"}});
    Advancing worker;
    OwnedRun& run = worker.add(flow, 7, "[1, 2]");
    worker.exchange();
    worker.advancer.fold_shared_row(
        7, run, {.task = {.step = 0, .index = 9}, .output = Json::trusted("4")});
    CHECK(worker.ended().starts_with("7 2 nullrun 7, step 0, task 9, attempt 1: "));
    CHECK(
        worker.lines.with_levels().starts_with("error: run run-7 cannot continue: run 7, step 0"));
    CHECK(run.leaving);
    CHECK(run.in_flight == 0);
    CHECK(worker.attempts.stated().empty());
    for (const auto& attempt : worker.slots.given) CHECK(attempt->stop.cancelled());
    const std::string once = worker.ended();
    worker.advancer.fold_shared_row(
        7, run, {.task = {.step = 0, .index = 9}, .output = Json::trusted("4")});
    worker.end_all(completes("1"));
    worker.advance();
    CHECK(worker.ended() == once);
    CHECK(worker.settled() == "");
  }

  TEST_CASE("C9: a run with an impossible row fails once its settlements are resolved") {
    const TestFlow flow("f", {{"each", returns("1"), {}, "map"}});
    Advancing worker;
    OwnedRun& run = worker.add(flow, 7, "[1, 2]");
    worker.exchange();
    CHECK(worker.slots.given.at(0)->gate.take());
    const auto settling = worker.slots.given.at(0);
    FakeSlots::begin(*settling, worker.now);
    worker.slots.end(settling, fails(), worker.now);
    worker.attempts.collect(worker.now);
    REQUIRE(worker.attempts.is_resolving(7));
    worker.advancer.fold_shared_row(
        7, run, {.task = {.step = 0, .index = 9}, .output = Json::trusted("4")});
    worker.advance();
    CHECK_FALSE(run.leaving);
    CHECK(run.in_flight == 1);
    CHECK(worker.ended() == "");
    worker.store.answers.resolve.next(JournalRow{.task = {}, .output = Json::trusted("4")});
    CHECK(worker.attempts.resolve(worker.now).has_value());
    worker.advance();
    CHECK(run.leaving);
    CHECK(worker.ended().starts_with("7 2 nullrun 7, step 0, task 9, attempt 1: "));
  }

  TEST_CASE("L7: a run that this worker claims while it holds a share of it can be cancelled") {
    const TestFlow flow("wide", {{"each", returns("1"), {}, "map"}});
    Advancing worker;
    REQUIRE(worker.registry.register_(flow.module()).has_value());
    REQUIRE(worker.flows.refresh(steady_start + 1s).has_value());
    TakenShare share;
    share.share = 2;
    share.run = 7;
    share.run_id = "run-7";
    share.version = 1;
    share.indexes = {0};
    share.inputs = {Json::trusted("0")};
    share.run_input = Json::trusted("[0]");
    worker.store.answers.take_shares.next(std::vector{share});
    const std::vector<VersionId> versions{1};
    REQUIRE(worker.held.turn(1, worker.now, versions, {.slots = 1}, true).empty());
    worker.start_due();
    OwnedRun& run = worker.add(flow, 7, "[0]");
    run.shared[{.step = 0, .index = 0}] = 1;
    worker.advance();
    CHECK(run.in_flight == 0);
    run.receive({.count = 1, .cancelled = "enough"});
    worker.advance();
    CHECK(worker.ended() == "7 3 nullenough\n");
    CHECK(worker.settled() == "");
    CHECK(worker.attempts.stated().size() == 1);
  }

  TEST_CASE("nothing is due in the past while a child run and a long handler run") {
    const TestFlow flow("f", {TestFlow::child("call", {}, "other"), {"slow", returns("1")}});
    Advancing worker;
    OwnedRun& run = worker.add(flow);
    worker.start_due();
    worker.advance();
    CHECK(worker.advancer.start_child_runs().has_value());
    worker.now += 30s;
    worker.advance();
    CHECK(run.in_flight == 1);
    CHECK_FALSE(worker.loop.runs.wakes_at(start).has_value());
  }

  TEST_CASE("nothing is due in the past while a child run runs and no slot is free") {
    const TestFlow flow("f", {TestFlow::child("call", {}, "other"), {"s", returns("1")}});
    Advancing worker;
    OwnedRun& run = worker.add(flow);
    worker.advance();
    CHECK(worker.advancer.start_child_runs().has_value());
    worker.now += 30s;
    worker.advance();
    CHECK(run.in_flight == 0);
    CHECK(run.due() == 1);
    const auto next = worker.loop.runs.wakes_at(worker.loop.database_now());
    CHECK((!next || *next > worker.loop.database_now()));
  }

  TEST_CASE("E1: a step is published as started once and before it ends") {
    const TestFlow::Step first{"a", returns("1")};
    const TestFlow flow("f", {first, TestFlow::wait("b", {"a"}, 1'000)});
    Advancing worker;
    OwnedRun& run = worker.add(flow);
    worker.advancer.publish_started(7, run, 0);  // nobody listens: it is not noted
    worker.exchange();
    worker.loop.outbox.set_listeners(false, true);
    worker.advancer.publish_started(7, run, 0);
    worker.advancer.publish_started(7, run, 0);
    worker.end_all(completes("1"));
    worker.advance();
    CHECK(worker.events() == "7 step:a:started\n7 step:a:completed\n7 step:b:started\n");
    worker.advance();
    CHECK(worker.events() == "7 step:a:started\n7 step:a:completed\n7 step:b:started\n");
    run.receive({.count = 1, .signals = {{1, Json::trusted("5")}}});
    exchange(worker.loop.outbox, {}, steady_start);
    worker.advance();
    CHECK(worker.events() == "7 step:b:completed\n7 run:completed\n");
  }

  TEST_CASE("E1: a step that failed or was skipped is published before the end of its run") {
    TestFlow::Step skips{"a", returns("1")};
    skips.when_exhausted = "skip";
    const TestFlow flow("f", {skips, {"b", returns("1"), {"a"}}});
    Advancing worker;
    worker.loop.outbox.set_listeners(false, true);
    worker.add(flow);
    worker.exchange();
    worker.end_all(fails(Outcome::failed_for_good));
    worker.advance();
    CHECK(worker.events() == "7 step:a:skipped\n");
    worker.exchange();
    worker.end_all(fails(Outcome::failed_for_good));
    worker.advance();
    CHECK(worker.events() == "7 step:b:failed\n7 run:failed\n");
  }
}
