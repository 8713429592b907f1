#include "worker/attempts.hpp"

#include <string_view>

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto none_held = [](const OwnedRun&) { return false; };
constexpr auto unnoticed = [](RunKey, OwnedRun&, std::size_t) {};

// A loop that owns run 7 of a map of three elements, whose timeout is ten seconds.
struct WideLoop : TestLoop {
  TestFlow flow{"wide",
                {{"each", returns("1"), {}, "map", {.base_delay_ms = 0, .timeout_ms = 10'000}}}};
  OwnedRun& run = add_run(loop.runs, flow, claim_of(7, "[5, 6, 7]"), 3);

  static inline const std::vector<VersionId> versions{1};

  WideLoop() { run.refresh(start); }

  // Takes share 2, of run 8, whose owner is another worker.
  void take_share(std::vector<std::size_t> indexes) {
    REQUIRE(registry.register_(flow.module()).has_value());
    REQUIRE(flows.refresh(steady_start + 1s).has_value());
    TakenShare share;
    share.share = 2;
    share.run = 8;
    share.run_id = "run-8";
    share.version = 1;
    share.inputs.assign(indexes.size(), Json::trusted("0"));
    share.indexes = std::move(indexes);
    share.run_input = Json::trusted("[]");
    store.answers.take_shares.next(std::vector{share});
    REQUIRE(held.turn(1, steady_start, versions, {.slots = 4}, true).empty());
  }

  // Takes note of what was written of shares, and returns how much that was.
  std::size_t take_written() {
    auto all = attempts.large().take_written();
    for (auto& [written, attempt] : all)
      attempts.note_shared(attempt, std::move(std::get<SettledAttempt>(written.write).row),
                           written.result);
    return all.size();
  }

  // Ends the handler of an attempt given to a slot, which began when the test did.
  void end(std::size_t given, AttemptResult result, Steady at = steady_start + 1s) {
    FakeSlots::begin(*slots.given.at(given), steady_start);
    slots.end(slots.given.at(given), std::move(result), at);
  }
};

}  // namespace

TEST_SUITE("worker: attempts") {
  TEST_CASE("F1: an attempt reaches a slot only after it was stated") {
    WideLoop worker;
    CHECK_FALSE(worker.attempts.has_unstated());
    std::string started;
    worker.attempts.pick(none_held, [&](RunKey key, OwnedRun& run, std::size_t step) {
      CHECK(&run == &worker.run);
      started += fmt::format("{}:{} ", key, step);
    });
    CHECK(started == "7:0 7:0 7:0 ");
    CHECK(worker.slots.text() == "");
    CHECK(worker.attempts.has_unstated());
    CHECK(text_of(worker.attempts.stated()) == "7:0.0#1 7:0.1#1 7:0.2#1");
    worker.start_stated();
    CHECK(worker.slots.text() == "7:0.0#1 7:0.1#1 7:0.2#1");
    CHECK_FALSE(worker.attempts.has_unstated());
    worker.start_stated();
    CHECK(worker.slots.given.size() == 3);
    CHECK(worker.run.in_flight == 3);
  }

  TEST_CASE("P2: an attempt has all that its handler may ask for") {
    WideLoop worker;
    worker.across.next_ticket = 40;
    worker.start_due();
    const Attempt& attempt = *worker.slots.given.at(1);
    CHECK(attempt.ticket == 41);
    CHECK(worker.across.next_ticket == 43);
    CHECK(attempt.worker == 1);
    CHECK(attempt.run == 7);
    CHECK(attempt.run_id == "run-7");
    CHECK(attempt.share == 0);
    CHECK(attempt.input.text() == "6");
    CHECK(attempt.flow_input.text() == "[5, 6, 7]");
    CHECK(attempt.flow == worker.run.flow());
    CHECK(attempt.step == worker.run.flow()->steps[0]);
    CHECK(attempt.plugin == 3);
    CHECK(attempt.options.timeout == 10s);
    CHECK(attempt.chosen == steady_start);
    CHECK(attempt.not_before == start);
  }

  TEST_CASE("no more attempts are picked than the window has places") {
    TestLoop worker;
    const TestFlow flow("wide", {{"each", returns("1"), {}, "map"}});
    add_run(worker.loop.runs, flow, claim_of(7, "[0, 0, 0, 0, 0, 0]"));
    worker.start_due();
    CHECK(worker.attempts.size() == 4);
    CHECK(worker.loop.runs.due() == 2);
    const Capacity capacity = worker.attempts.capacity();
    CHECK(capacity.slots == 4);
    CHECK(capacity.window == 4);
    CHECK(capacity.in_flight == 4);
    CHECK(capacity.due == 2);
    CHECK(capacity.task_seconds == 1.0);
    FakeSlots::begin(*worker.slots.given.at(0), steady_start);
    worker.slots.end(worker.slots.given.at(0), completes("1"), steady_start + 1s);
    worker.attempts.collect(steady_start + 1s);
    worker.start_due();
    CHECK(worker.slots.given.size() == 5);
  }

  TEST_CASE("C2: of held runs nothing is picked") {
    WideLoop worker;
    worker.attempts.pick([](const OwnedRun&) { return true; }, unnoticed);
    CHECK(worker.attempts.size() == 0);
    CHECK(worker.run.due() == 3);
  }

  TEST_CASE("a result is journaled once with the times of its handler") {
    WideLoop worker;
    worker.start_due();
    worker.end(1, completes("4"));
    worker.attempts.collect(steady_start + 2s);
    CHECK(worker.settled() == "7:0.1#1 completed 4\n");
    const SettledAttempt& settled = worker.loop.outbox.request().settled[0];
    CHECK(settled.plugin == 3);
    CHECK(settled.row.started_at == start);
    CHECK(settled.row.ended_at == start + 1s);
    CHECK(worker.run.in_flight == 2);
    CHECK(worker.attempts.size() == 2);
    CHECK(worker.lines.text() == "");
    worker.end(1, completes("5"));
    worker.attempts.collect(steady_start + 2s);
    CHECK(worker.settled() == "7:0.1#1 completed 4\n");
    CHECK(worker.lines.with_levels() ==
          "warning: run run-7: the late result of wide.each is refused\n");
  }

  TEST_CASE("no row ends before it starts and none starts before its task was due") {
    WideLoop worker;
    worker.loop.clock.set(start + 1h, steady_start, steady_start);
    worker.start_due();
    worker.loop.clock = {};
    worker.loop.clock.set(start - 1h, steady_start, steady_start);
    worker.end(0, completes("4"));
    worker.attempts.collect(steady_start + 1s);
    const JournalRow& row = worker.loop.outbox.request().settled.at(0).row;
    CHECK(row.started_at == start);
    CHECK(row.ended_at == start);
  }

  TEST_CASE("F2: an attempt that failed is logged and its task becomes due again") {
    WideLoop worker;
    worker.start_due();
    worker.end(2, fails());
    worker.attempts.collect(steady_start + 1s);
    CHECK(worker.settled() == "7:0.2#1 failed test: broken\n");
    CHECK(worker.lines.with_levels() == "info: run run-7: wide.each attempt 1 failed: broken\n");
    worker.now = steady_start + 1s;
    worker.slots.given.clear();
    worker.start_due();
    CHECK(worker.slots.text() == "7:0.2#2");
  }

  TEST_CASE("how long a handler took counts for the pace though its result is refused") {
    WideLoop worker;
    worker.start_due();
    worker.attempts.forget_run(7, worker.loop.runs.at(7));
    worker.end(0, completes("1"), steady_start + 9s);
    worker.attempts.collect(steady_start + 9s);
    CHECK(worker.attempts.pace().task_seconds() == 2.0);
    CHECK(worker.settled() == "");
  }

  TEST_CASE(
      "F4: an attempt that ends after its stop token fired has timed out whatever it returns") {
    WideLoop worker;
    worker.start_due();
    for (const auto& attempt : worker.slots.given) FakeSlots::begin(*attempt, steady_start);
    CHECK(worker.attempts.due_at(worker.now) == steady_start + 10s);
    worker.attempts.enforce_limits(steady_start + 10s - 1ns);
    CHECK_FALSE(worker.slots.given.at(0)->stop.cancelled());
    worker.attempts.collect(steady_start + 10s);
    CHECK(worker.slots.given.at(0)->stop.cancelled());
    CHECK(worker.settled() == "");
    worker.end(0, completes("1"), steady_start + 10'500ms);
    worker.end(1, fails(Outcome::failed_for_good), steady_start + 10'500ms);
    worker.end(2, {.outcome = Outcome::timed_out, .error_code = "own", .error = "by itself"},
               steady_start + 10'500ms);
    worker.attempts.collect(steady_start + 10'500ms);
    CHECK(worker.settled() ==
          "7:0.0#1 timed_out timed_out: no result within 10000 ms\n"
          "7:0.1#1 timed_out timed_out: no result within 10000 ms\n"
          "7:0.2#1 timed_out own: by itself\n");
    CHECK(worker.slots.abandoned.empty());
  }

  TEST_CASE("F4: a handler that ignores its stop token is abandoned and what it returns refused") {
    WideLoop worker;
    worker.start_due();
    FakeSlots::begin(*worker.slots.given.at(0), steady_start);
    worker.attempts.collect(steady_start + 10s);
    worker.attempts.collect(steady_start + 11s - 1ns);
    CHECK(worker.slots.abandoned.empty());
    worker.attempts.collect(steady_start + 11s);
    CHECK(worker.slots.abandoned == std::vector<std::uint64_t>{1});
    CHECK(worker.settled() ==
          "7:0.0#1 timed_out timed_out: no result within 10000 ms; it ignores its stop token and "
          "keeps its thread\n");
    CHECK(worker.loop.outbox.request().settled[0].row.ended_at == start + 11s);
    CHECK(worker.lines.with_levels().starts_with(
        "warning: run run-7: wide.each ignores its stop token and keeps its thread\n"));
    worker.end(0, completes("1"), steady_start + 20s);
    worker.attempts.collect(steady_start + 20s);
    CHECK(worker.loop.outbox.request().settled.size() == 1);
    CHECK(worker.slots.abandoned.size() == 1);
    CHECK(worker.run.in_flight == 2);
  }

  TEST_CASE("F4: a handler that ignores that its run, share or lease ended is abandoned once") {
    for (const char* how : {"cancelled", "impossible", "share", "lease"}) {
      CAPTURE(how);
      WideLoop worker;
      if (how == std::string_view("share")) worker.take_share({4});
      worker.start_due();
      FakeSlots::begin(*worker.slots.given.at(0), steady_start);
      if (how == std::string_view("cancelled")) worker.attempts.cancel_run(7, worker.run, start);
      if (how == std::string_view("impossible")) worker.attempts.forget_run(7, worker.run);
      if (how == std::string_view("share")) worker.attempts.forget_share(2);
      if (how == std::string_view("lease")) worker.attempts.forget();
      // After the loss of a lease the worker is another one, with the same slots.
      Attempts next(worker.loop, worker.slots, worker.held, worker.across);
      Attempts& attempts = how == std::string_view("lease") ? next : worker.attempts;
      CHECK(attempts.due_at(steady_start) == steady_start + stop_grace);
      attempts.collect(steady_start + stop_grace - 1ns);
      CHECK(worker.slots.abandoned.empty());
      attempts.collect(steady_start + stop_grace);
      CHECK(worker.slots.abandoned == std::vector<std::uint64_t>{1});
      const std::string run = how == std::string_view("share") ? "run-8" : "run-7";
      const std::string abandoned = fmt::format(
          "warning: run {}: wide.each ignores its stop token and keeps its thread\n", run);
      CHECK(worker.lines.with_levels() == abandoned);
      attempts.collect(steady_start + 5s);
      worker.end(0, completes("1"), steady_start + 9s);
      attempts.collect(steady_start + 9s);
      CHECK(worker.slots.abandoned.size() == 1);
      CHECK(worker.lines.with_levels() ==
            fmt::format("{}warning: run {}: the late result of wide.each is refused\n", abandoned,
                        run));
    }
  }

  TEST_CASE("F4: a handler that stops within a second of the end of its run is not abandoned") {
    WideLoop worker;
    worker.start_due();
    worker.end(0, fails(), steady_start + 900ms);
    worker.attempts.cancel_run(7, worker.run, start);
    worker.attempts.collect(steady_start + 900ms);
    worker.attempts.collect(steady_start + 10s);
    CHECK(worker.slots.abandoned.empty());
  }

  TEST_CASE("F4: a handler that ignores that its step was skipped is abandoned and cancelled") {
    TestLoop worker;
    TestFlow::Step each{"each", returns("1"), {}, "map", {.timeout_ms = 60'000}};
    each.when_exhausted = "skip";
    const TestFlow flow("wide", {each, {"after", returns("1"), {"each"}}});
    OwnedRun& run = add_run(worker.loop.runs, flow, claim_of(7, "[5, 6]"));
    worker.start_due();
    for (const auto& attempt : worker.slots.given) FakeSlots::begin(*attempt, steady_start);
    worker.slots.end(worker.slots.given.at(0), fails(Outcome::failed_for_good), steady_start + 1s);
    worker.now = steady_start + 1s;
    worker.attempts.collect(worker.now);
    worker.attempts.stop_unneeded(7, run);
    worker.attempts.collect(steady_start + 2s - 1ns);
    CHECK(worker.slots.abandoned.empty());
    worker.attempts.collect(steady_start + 2s);
    CHECK(worker.slots.abandoned == std::vector<std::uint64_t>{2});
    CHECK(worker.settled() ==
          "7:0.0#1 failed_for_good test: broken\n"
          "7:0.1#1 cancelled step_skipped: its step was skipped while this ran\n");
    CHECK(run.in_flight == 0);
  }

  TEST_CASE(
      "F5: an attempt that was stopped for a skip is cancelled also when its run ends first") {
    TestLoop worker;
    TestFlow::Step each{"each", returns("1"), {}, "map", {.timeout_ms = 60'000}};
    each.when_exhausted = "skip";
    const TestFlow flow("wide", {each, {"other", returns("1")}});
    const OwnedRun& run = add_run(worker.loop.runs, flow, 7, "[5, 6, 7]");
    worker.start_due();
    const auto given = worker.slots.given;
    for (const auto& attempt : given) FakeSlots::begin(*attempt, steady_start);
    worker.slots.end(given.at(0), fails(Outcome::failed_for_good), steady_start);
    worker.attempts.collect(steady_start);
    worker.attempts.stop_unneeded(7, run);
    worker.slots.end(given.at(3), fails(Outcome::failed_for_good), steady_start + 1s);
    worker.slots.end(given.at(1), fails(), steady_start + 1s);
    worker.attempts.collect(steady_start + 1s);
    CHECK(run.state().end().has_value());
    CHECK(worker.slots.abandoned == std::vector<std::uint64_t>{3});
    CHECK(worker.settled() ==
          "7:0.0#1 failed_for_good test: broken\n"
          "7:1.0#1 failed_for_good test: broken\n"
          "7:0.1#1 cancelled step_skipped: its step was skipped while this ran\n"
          "7:0.2#1 cancelled step_skipped: its step was skipped while this ran\n");
  }

  TEST_CASE("results wait while the outbox is full and are settled when it is empty again") {
    WideLoop worker;
    worker.start_due();
    JournalRow large{.task = {}, .outcome = Outcome::failed};
    large.error = std::string(Outbox::bytes_max, 'x');
    worker.loop.outbox.settle(9, large, std::nullopt);
    worker.end(0, completes("1"));
    worker.attempts.collect(steady_start + 1s);
    CHECK(worker.loop.outbox.request().settled.size() == 1);
    CHECK(text_of(worker.attempts.stated()) == "7:0.0#1 7:0.1#1 7:0.2#1");
    exchange(worker.loop.outbox, {}, steady_start);
    worker.attempts.collect(steady_start + 2s);
    CHECK(worker.settled() == "7:0.0#1 completed 1\n");
  }

  TEST_CASE("F5: an attempt that is stopped because its step was skipped counts as cancelled") {
    TestLoop worker;
    TestFlow::Step each{"each", returns("1"), {}, "map"};
    each.when_exhausted = "skip";
    const TestFlow flow("wide", {each, {"after", returns("1"), {"each"}}});
    OwnedRun& run = add_run(worker.loop.runs, flow, claim_of(7, "[5, 6, 7]"));
    worker.start_due();
    const auto given = worker.slots.given;
    for (const auto& attempt : given) FakeSlots::begin(*attempt, steady_start);
    worker.slots.end(given.at(0), fails(Outcome::failed_for_good), steady_start + 1s);
    worker.attempts.collect(steady_start + 1s);
    worker.attempts.stop_unneeded(7, run);
    CHECK(given.at(1)->stop.cancelled());
    worker.slots.end(given.at(1), fails(), steady_start + 2s);
    worker.slots.end(given.at(2), completes("2"), steady_start + 2s);
    worker.attempts.collect(steady_start + 2s);
    CHECK(worker.settled() ==
          "7:0.0#1 failed_for_good test: broken\n"
          "7:0.1#1 cancelled step_skipped: its step was skipped while this ran\n"
          "7:0.2#1 completed 2\n");
    CHECK(run.in_flight == 0);
  }

  TEST_CASE("F5: attempts of a step that is still needed are not stopped") {
    WideLoop worker;
    worker.start_due();
    worker.attempts.stop_unneeded(7, worker.run);
    for (const auto& attempt : worker.slots.given) CHECK_FALSE(attempt->stop.cancelled());
  }

  TEST_CASE("C9: an attempt whose handler settles it is resolved by the database alone") {
    WideLoop worker;
    worker.start_due();
    CHECK(worker.slots.given.at(0)->gate.take());
    worker.end(0, completes("1"));
    worker.attempts.collect(steady_start + 1s);
    CHECK(worker.settled() == "");
    CHECK(worker.attempts.is_resolving(7));
    CHECK(worker.attempts.resolve_at() <= steady_start + 1s);
    CHECK(text_of(worker.attempts.stated()) == "7:0.1#1 7:0.2#1 7:0.0#1");
    CHECK(worker.run.in_flight == 3);
    worker.store.answers.resolve.next(std::nullopt);
    CHECK(worker.attempts.resolve(steady_start + 1s).has_value());
    CHECK(worker.store.take_calls() ==
          "resolve worker 1 run 7 plugin 3 0.0#1 failed not_settled: the step returned without "
          "committing the settlement it requested\n");
    CHECK(worker.run.in_flight == 3);
    worker.store.answers.resolve.next(
        JournalRow{.task = {.step = 0, .index = 0}, .output = Json::trusted("8")});
    CHECK(worker.attempts.resolve(steady_start + 2s).has_value());
    CHECK_FALSE(worker.attempts.is_resolving(7));
    CHECK(worker.run.in_flight == 2);
    CHECK(text_of(worker.attempts.stated()) == "7:0.1#1 7:0.2#1");
    CHECK(worker.settled() == "");
    worker.end(1, completes("2"));
    worker.end(2, completes("3"));
    worker.attempts.collect(steady_start + 2s);
    REQUIRE(worker.run.state().end().has_value());
    CHECK(worker.run.state().end()->output.text() == R"({"each":[8,2,3]})");
  }

  TEST_CASE("C9: after a handler's own failure the row of that failure is the other possibility") {
    WideLoop worker;
    worker.start_due();
    CHECK(worker.slots.given.at(0)->gate.take());
    worker.end(0, fails());
    worker.attempts.collect(steady_start + 1s);
    worker.store.answers.resolve.next(refused(ErrorCode::lease_lost));
    const auto resolved = worker.attempts.resolve(steady_start + 1s);
    REQUIRE_FALSE(resolved.has_value());
    CHECK(resolved.error().code == ErrorCode::lease_lost);
    CHECK(worker.store.take_calls() ==
          "resolve worker 1 run 7 plugin 3 0.0#1 failed test: broken\n");
  }

  TEST_CASE("C9: once an attempt is settled its handler can no longer settle it") {
    WideLoop worker;
    worker.start_due();
    FakeSlots::begin(*worker.slots.given.at(0), steady_start);
    worker.attempts.collect(steady_start + 10s);
    worker.attempts.collect(steady_start + 11s);
    CHECK_FALSE(worker.slots.given.at(0)->gate.take());
  }

  TEST_CASE("F6: what runs of a run that ended is stopped and ends as cancelled") {
    WideLoop worker;
    worker.start_due();
    FakeSlots::begin(*worker.slots.given.at(0), steady_start + 1s);
    FakeSlots::begin(*worker.slots.given.at(2), steady_start + 1s);
    CHECK(worker.slots.given.at(2)->gate.take());
    worker.attempts.cancel_run(7, worker.run, start + 5s);
    CHECK(worker.settled() ==
          "7:0.0#1 cancelled run_ended: the run ended while this ran\n"
          "7:0.1#1 cancelled run_ended: the run ended while this ran\n");
    const auto& settled = worker.loop.outbox.request().settled;
    CHECK(settled[0].plugin == 3);
    CHECK(settled[0].row.started_at == start + 1s);
    CHECK(settled[0].row.ended_at == start + 5s);
    CHECK(settled[1].row.started_at == start + 5s);  // it never began
    for (const auto& attempt : worker.slots.given) CHECK(attempt->stop.cancelled());
    CHECK(worker.attempts.is_resolving(7));
    CHECK(text_of(worker.attempts.stated()) == "7:0.2#1");
    CHECK(worker.run.in_flight == 1);
    worker.end(0, completes("1"), steady_start + 6s);
    worker.attempts.collect(steady_start + 6s);
    CHECK(settled.size() == 2);
  }

  TEST_CASE("F1: what the claim of a run has stated begins as it is picked") {
    WideLoop worker;
    OwnedRun& other = add_run(worker.loop.runs, worker.flow, claim_of(8, "[1]"), 3);
    other.refresh(start);
    CHECK(worker.attempts.free_slots() == 4);
    worker.start_stated();
    worker.attempts.note_begun(8, 0);
    worker.attempts.pick(none_held, unnoticed);
    CHECK(worker.slots.text() == "8:0.0#1");
    CHECK(text_of(worker.attempts.stated()) == "7:0.0#1 8:0.0#1 7:0.1#1 7:0.2#1");
    CHECK_FALSE(worker.attempts.states_too_much());
    CHECK(worker.attempts.free_slots() == 0);
    worker.start_stated();
    CHECK(worker.slots.text() == "8:0.0#1 7:0.0#1 7:0.1#1 7:0.2#1");
  }

  TEST_CASE("F1: what the claim of a run has stated and does not begin is stated no longer") {
    WideLoop worker;
    worker.start_stated();
    worker.attempts.note_begun(7, 0);
    worker.attempts.pick([](const OwnedRun&) { return true; }, unnoticed);
    CHECK(worker.slots.text() == "");
    CHECK(worker.attempts.states_too_much());
    CHECK(worker.loop.outbox.has_urgent());
    worker.start_due();
    CHECK(worker.slots.text() == "7:0.0#1 7:0.1#1 7:0.2#1");
  }

  TEST_CASE("F1: what the claim of a run has stated does not begin after another exchange") {
    WideLoop worker;
    worker.start_stated();
    worker.attempts.note_begun(7, 0);
    worker.attempts.note_sent();
    worker.attempts.pick(none_held, unnoticed);
    CHECK(worker.slots.text() == "");
    CHECK(worker.attempts.has_unstated());
  }

  TEST_CASE("F11: what the claim of a run has stated does not begin long after the reply") {
    WideLoop worker;
    worker.start_stated();
    worker.attempts.note_begun(7, 0);
    worker.now += Attempts::begins_within + 1ms;
    worker.attempts.pick(none_held, unnoticed);
    CHECK(worker.slots.text() == "");
    CHECK(worker.attempts.has_unstated());
    CHECK(worker.attempts.states_too_much());
  }

  TEST_CASE("E1: that a run has begun with its claim is told at once") {
    WideLoop worker;
    worker.start_stated();
    worker.attempts.note_begun(7, 0);
    worker.loop.outbox.set_listeners(true, false);
    worker.attempts.pick(none_held, unnoticed);
    CHECK(worker.slots.text() == "7:0.0#1");
    CHECK(worker.loop.outbox.has_urgent());
  }

  TEST_CASE("L7: elements of shares are picked before tasks of the worker's own runs") {
    WideLoop worker;
    worker.take_share({4, 5});
    std::string started;
    worker.attempts.pick(
        none_held, [&](RunKey key, OwnedRun&, std::size_t) { started += fmt::format("{} ", key); });
    worker.start_stated();
    CHECK(worker.slots.text() == "8:0.4#1 8:0.5#1 7:0.0#1 7:0.1#1");
    CHECK(started == "7 7 ");
    CHECK(worker.run.in_flight == 2);
    CHECK(worker.slots.given.at(0)->ticket == 1);
    CHECK(worker.slots.given.at(0)->worker == 1);

    worker.end(0, completes("4"));
    worker.end(1, completes("5"));
    worker.attempts.collect(steady_start + 1s);
    CHECK(worker.settled() == "");
    worker.store.take_calls();
    CHECK(worker.held.turn(1, steady_start + 1s, WideLoop::versions, {.slots = 4}, false).empty());
    CHECK(worker.store.take_calls() ==
          "settle_share worker 1 share 2 plugin 0: 0.4#1 completed 4 0.5#1 completed 5\n");
  }

  TEST_CASE("F11: what ended while lost calls are made up for is in flight until its row is sent") {
    WideLoop worker;
    worker.start_due();
    std::vector<InFlightTask> sent = worker.attempts.stated();
    CHECK(text_of(sent) == "7:0.0#1 7:0.1#1 7:0.2#1");
    worker.end(1, completes("1"));
    worker.attempts.collect(steady_start + 1s);
    CHECK(text_of(worker.attempts.stated()) == "7:0.0#1 7:0.2#1");
    CHECK(worker.settled() == "7:0.1#1 completed 1\n");
    worker.attempts.drop_others(sent);
    CHECK(text_of(sent) == "7:0.0#1 7:0.1#1 7:0.2#1");
    worker.loop.outbox.drop_run(7);
    CHECK(worker.attempts.drop_run(7));
    worker.attempts.drop_others(sent);
    CHECK(sent.empty());
  }

  TEST_CASE("F11: elements that were stated of a share that may be lost begin when it is known") {
    WideLoop worker;
    worker.take_share({4, 5});
    worker.attempts.pick(none_held, unnoticed);
    worker.attempts.note_sent();
    worker.held.doubt_all();
    worker.attempts.start_stated();
    CHECK(worker.slots.text() == "7:0.0#1 7:0.1#1");
    CHECK(text_of(worker.attempts.stated()) == "7:0.0#1 7:0.1#1");
    CHECK(worker.attempts.states_too_much());
    CHECK(worker.held.waiting() == 2);
    worker.store.answers.held_shares.next(std::vector<ShareId>{2});
    CHECK(worker.held.turn(1, steady_start + 1s, WideLoop::versions, {.slots = 4}, false).empty());
    worker.attempts.pick(none_held, unnoticed);
    worker.start_stated();
    CHECK(worker.slots.text() == "7:0.0#1 7:0.1#1 8:0.4#1 8:0.5#1");
  }

  TEST_CASE("F11: elements of a share that may be lost which wait for a slot do not begin") {
    WideLoop worker;
    worker.take_share({4, 5});
    worker.attempts.pick(none_held, unnoticed);
    worker.start_stated();
    CHECK(worker.slots.text() == "8:0.4#1 8:0.5#1 7:0.0#1 7:0.1#1");
    FakeSlots::begin(*worker.slots.given.front(), steady_start);  // nobody can take that back
    worker.attempts.doubt_shares();
    CHECK(worker.slots.text() == "8:0.4#1 7:0.0#1 7:0.1#1");
    CHECK(text_of(worker.attempts.stated()) == "8:0.4#1 7:0.0#1 7:0.1#1");
    CHECK(worker.attempts.states_too_much());
    CHECK(worker.held.waiting() == 1);
    constexpr auto all_held = [](const OwnedRun&) { return true; };
    worker.attempts.pick(all_held, unnoticed);
    CHECK_FALSE(worker.attempts.has_unstated());
    worker.store.answers.held_shares.next(std::vector<ShareId>{2});
    CHECK(worker.held.turn(1, steady_start + 1s, WideLoop::versions, {.slots = 4}, false).empty());
    worker.attempts.pick(all_held, unnoticed);
    worker.start_stated();
    CHECK(worker.slots.text() == "8:0.4#1 7:0.0#1 7:0.1#1 8:0.5#1");
  }

  TEST_CASE("F1: an element of a share is stated until its row is journaled") {
    WideLoop worker;
    worker.take_share({4, 5});
    worker.attempts.pick([](const OwnedRun&) { return true; }, unnoticed);
    worker.start_stated();
    worker.end(0, completes("4"));
    worker.attempts.collect(steady_start + 1s);
    CHECK(text_of(worker.attempts.stated()) == "8:0.5#1 8:0.4#1");
    worker.store.answers.settle_share.next(1);
    CHECK(worker.held.turn(1, worker.now + 1s, WideLoop::versions, {.slots = 4}, false).empty());
    CHECK(text_of(worker.attempts.stated()) == "8:0.5#1");
  }

  TEST_CASE("F11: a large result that was refused with a lease that holds again is written again") {
    WideLoop worker;
    worker.take_share({4});
    worker.attempts.pick([](const OwnedRun&) { return true; }, unnoticed);
    worker.start_stated();
    worker.store.take_calls();
    worker.store.answers.write_large.next(refused(ErrorCode::lease_lost));
    worker.end(0, completes(('"' + std::string(1024 * 1024, 'x') + '"').c_str()));
    worker.attempts.collect(steady_start + 1s);
    for (const char* what : {"refused", "written"}) {
      CAPTURE(what);
      CHECK(worker.store.take_calls().starts_with(
          "write_large worker 1 run 8 plugin 0 0.4#1 completed"));
      CHECK(text_of(worker.attempts.stated()) == "8:0.4#1");
      CHECK(worker.take_written() == 1);
    }
    CHECK(worker.attempts.large().empty());
    CHECK(worker.held.take_lease_unconfirmed());
  }

  TEST_CASE("F6: what is large of a share that is no longer held is not written") {
    WideLoop worker;
    worker.take_share({4, 5});
    worker.attempts.pick([](const OwnedRun&) { return true; }, unnoticed);
    worker.start_stated();
    worker.end(0, completes(('"' + std::string(1024 * 1024, 'x') + '"').c_str()));
    worker.attempts.collect(steady_start + 1s);
    worker.store.take_calls();
    worker.attempts.forget_share(2);
    CHECK(worker.store.take_calls() == "withdraw_large run 8 0.4#1 share 2\n");
    CHECK(worker.attempts.large().empty());
  }

  // After a crash that lost that the share was taken, it has the same id when it is taken again.
  TEST_CASE("F11: what is written of a share that was dropped is no result of that share anew") {
    for (const bool stored : {true, false}) {
      CAPTURE(stored);
      WideLoop worker;
      worker.take_share({4, 5});
      worker.start_due();
      if (!stored) worker.store.answers.write_large.next(refused(ErrorCode::lease_lost));
      worker.end(0, completes(('"' + std::string(1024 * 1024, 'x') + '"').c_str()));
      worker.attempts.collect(steady_start + 1s);
      worker.store.keeps_large = true;
      worker.store.answers.held_shares.next(std::vector<ShareId>{});
      worker.held.notify();
      for (const ShareId dropped :
           worker.held.turn(1, steady_start + 1s, WideLoop::versions, {.slots = 4}, false))
        worker.attempts.forget_share(dropped);
      CHECK(text_of(worker.attempts.stated()) == "7:0.0#1 7:0.1#1");
      worker.slots.given.clear();
      worker.take_share({4, 5});
      worker.start_due();
      REQUIRE(worker.slots.text() == "8:0.4#1 8:0.5#1");
      worker.store.take_calls();
      CHECK(worker.take_written() == 0);
      CHECK(worker.attempts.large().empty());
      CHECK(worker.store.take_calls() == "");
      CHECK_FALSE(worker.held.take_lease_unconfirmed());
      for (std::size_t element = 0; element < 2; ++element) worker.end(element, completes("4"));
      worker.attempts.collect(steady_start + 2s);
      CHECK(
          worker.held.turn(1, steady_start + 3s, WideLoop::versions, {.slots = 4}, false).empty());
      CHECK(worker.store.take_calls().starts_with(
          "settle_share worker 1 share 2 plugin 0: 0.4#1 completed 4 0.5#1 completed 4\n"));
      CHECK(worker.held.empty());
    }
  }

  TEST_CASE("L7: what was about to begin of a share that is no longer held never begins") {
    WideLoop worker;
    worker.take_share({4});
    worker.attempts.pick([](const OwnedRun&) { return true; }, unnoticed);
    worker.attempts.forget_share(2);
    worker.start_stated();
    CHECK(worker.slots.text() == "");
  }

  TEST_CASE("C9: a handler of a share or a run that was dropped cannot settle its attempt") {
    WideLoop worker;
    worker.take_share({4});
    worker.start_due();
    worker.attempts.forget_share(2);
    CHECK(worker.attempts.drop_run(7));
    for (const auto& attempt : worker.slots.given) CHECK_FALSE(attempt->gate.take());
  }

  TEST_CASE("C9: of a run that failed handlers settle nothing any more") {
    WideLoop worker;
    worker.start_due();
    CHECK(worker.slots.given.at(1)->gate.take());
    worker.attempts.forget_run(7, worker.run);
    CHECK_FALSE(worker.slots.given.at(0)->gate.take());
    CHECK(worker.attempts.is_resolving(7));  // one may have done so
    CHECK(worker.run.in_flight == 1);
    worker.store.take_calls();
    CHECK(worker.attempts.resolve(worker.now).has_value());
    CHECK(worker.store.take_calls().starts_with("resolve worker 1 run 7"));
    CHECK(worker.attempts.is_resolving(7));  // the database does not know yet
  }

  TEST_CASE("F11: a run that is dropped may be settled by a handler that had asked for it") {
    for (const bool asked : {false, true}) {
      WideLoop worker;
      worker.start_due();
      if (asked) CHECK(worker.slots.given.at(1)->gate.take());
      CHECK(worker.attempts.drop_run(7) == !asked);
    }
  }

  TEST_CASE("L7: what was in flight of a share that is no longer held is refused") {
    WideLoop worker;
    worker.take_share({4});
    worker.start_due();
    worker.attempts.forget_share(2);
    CHECK(worker.slots.given.at(0)->stop.cancelled());
    CHECK_FALSE(worker.slots.given.at(1)->stop.cancelled());
    CHECK(text_of(worker.attempts.stated()) == "7:0.0#1 7:0.1#1 7:0.2#1");
    worker.end(0, completes("4"));
    worker.attempts.collect(steady_start + 1s);
    CHECK(worker.settled() == "");
    CHECK(worker.lines.text() == "");  // it obeyed its stop token: that is no news
  }

  TEST_CASE("L2: a worker that lost its lease forgets what ran and what was about to") {
    WideLoop worker;
    worker.start_due();
    CHECK(worker.slots.given.at(0)->gate.take());
    worker.end(0, completes("1"));
    worker.attempts.collect(steady_start + 1s);
    add_run(worker.loop.runs, worker.flow, claim_of(8, "[0]")).refresh(start);
    worker.attempts.pick(none_held, unnoticed);
    CHECK(worker.attempts.has_unstated());
    worker.attempts.forget();
    CHECK_FALSE(worker.attempts.has_unstated());
    CHECK(worker.attempts.stated().empty());
    CHECK_FALSE(worker.attempts.is_resolving(7));
    CHECK_FALSE(worker.attempts.resolve_at().has_value());
    CHECK(worker.slots.given.at(1)->stop.cancelled());
    worker.start_stated();
    CHECK(worker.slots.given.size() == 3);
    worker.end(1, completes("1"));
    worker.attempts.collect(steady_start + 1s);
    CHECK(worker.settled() == "");
  }
}
