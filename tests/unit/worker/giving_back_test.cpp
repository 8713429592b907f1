// What a worker holds and cannot start soon: its parts give it back (L9).
#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"
#include "worker/run_advancer.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// Four slots and runs of a map, whose elements took no time in the past.
struct Loaded : TestLoop {
  TestFlow flow{"wide", {{"each", returns("1"), {}, "map", {.base_delay_ms = 0}}}};
  RunAdvancer advancer{loop, attempts, [](const OwnedRun&, Steady) { return false; }};

  OwnedRun& add(RunKey key, const char* input = "[0]", int priority = 0) {
    return add_run(loop.runs, flow, claim_of(key, input, priority));
  }
  // The worker had short tasks, so it states more attempts than it has slots.
  void be_quick() {
    for (int i = 0; i < 100; ++i) attempts.pace().ran(1ms);
    for (int i = 0; i < 100; ++i) attempts.pace().exchanged(1ms);
  }
  void begin(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) FakeSlots::begin(*slots.given.at(i), now);
  }
  void after(Steady::duration passed) {
    now += passed;
    attempts.collect(now);
    attempts.take_back_waiting(now);
  }
  std::string released() const {
    std::string all;
    for (const ReleasedRun& each : loop.outbox.request().released)
      all += fmt::format("{}{} ", each.run, each.wake_at ? " later" : "");
    return all;
  }
};

}  // namespace

TEST_SUITE("worker: giving back") {
  TEST_CASE("L9: attempts that wait for slots that long tasks hold are due again and not charged") {
    Loaded worker;
    worker.be_quick();
    OwnedRun& run = worker.add(7, "[0, 1, 2, 3, 4, 5, 6]");
    worker.start_due();
    REQUIRE(worker.slots.given.size() == 7);
    worker.begin(4);
    worker.after(1s - 1ns);
    CHECK(worker.attempts.size() == 7);
    worker.after(1ns);
    CHECK(worker.slots.text() == "7:0.0#1 7:0.1#1 7:0.2#1 7:0.3#1");
    CHECK(text_of(worker.attempts.stated()) == "7:0.0#1 7:0.1#1 7:0.2#1 7:0.3#1");
    CHECK(run.in_flight == 4);
    CHECK(run.due() == 3);
    CHECK(worker.settled() == "");
    // Others may have them when they are not stated any more.
    CHECK(worker.attempts.states_too_much());
    CHECK(worker.loop.outbox.has_urgent());
    worker.attempts.note_sent();
    CHECK_FALSE(worker.attempts.states_too_much());
    CHECK(text_of(run.take_due().task, 1) == "0.4#1");  // in their order
    CHECK(text_of(run.take_due().task, 1) == "0.5#1");
    CHECK(worker.lines.text() == "");
  }

  TEST_CASE("L9: what the free slots can start soon stays") {
    Loaded worker;
    worker.be_quick();
    worker.add(7, "[0, 1, 2, 3, 4, 5, 6]");
    worker.start_due();
    REQUIRE(worker.attempts.size() == 7);  // one for each slot, and one that most finish meanwhile
    worker.begin(2);
    worker.after(10s);  // two slots are blocked
    CHECK(worker.attempts.size() == 5);
    worker.begin(3);
    worker.after(10s);
    CHECK(worker.attempts.size() == 4);
  }

  TEST_CASE("L5: a worker that drains takes back at once what has not begun") {
    Loaded worker;
    worker.be_quick();
    const OwnedRun& run = worker.add(7, "[0, 1, 2, 3, 4, 5]");
    worker.start_due();
    worker.begin(2);
    worker.loop.drain_until = worker.now + 10s;
    worker.after(0s);
    CHECK(text_of(worker.attempts.stated()) == "7:0.0#1 7:0.1#1");
    CHECK(run.due() == 4);
  }

  TEST_CASE("L9: an attempt of a run that ended meanwhile is taken back and forgotten") {
    Loaded worker;
    worker.be_quick();
    OwnedRun& ended = worker.add(7, "[0, 1]");
    worker.add(8, "[0, 1, 2, 3, 4]");
    worker.start_due();
    CHECK(worker.slots.text() == "7:0.0#1 8:0.0#1 7:0.1#1 8:0.1#1 8:0.2#1 8:0.3#1 8:0.4#1");
    for (const std::size_t given : {0U, 1U, 3U, 4U})
      FakeSlots::begin(*worker.slots.given[given], worker.now);
    worker.attempts.cancel_run(7, ended, start);
    REQUIRE(worker.attempts.size() == 5);
    worker.after(1s);
    CHECK(text_of(worker.attempts.stated()) == "8:0.0#1 8:0.1#1 8:0.2#1 8:0.3#1");
    worker.loop.drain_until = worker.now + 10s;
    worker.after(0s);
    CHECK(text_of(worker.attempts.stated()) == "8:0.0#1 8:0.1#1 8:0.2#1");
    CHECK(worker.slots.text() == "7:0.0#1 8:0.0#1 8:0.1#1 8:0.2#1");
    CHECK(worker.slots.abandoned == std::vector<std::uint64_t>{1});  // the other never began
  }

  TEST_CASE("F5: an attempt that waits and is not needed any more ends as cancelled") {
    TestLoop worker;
    TestFlow::Step each{"each", returns("1"), {}, "map"};
    each.when_exhausted = "skip";
    const TestFlow flow("wide", {each, {"after", returns("1"), {"each"}}});
    OwnedRun& run = add_run(worker.loop.runs, flow, claim_of(7, "[5, 6]"));
    worker.start_due();
    FakeSlots::begin(*worker.slots.given.at(0), steady_start);
    worker.slots.end(worker.slots.given.at(0), fails(Outcome::failed_for_good), steady_start + 1s);
    worker.attempts.collect(steady_start + 1s);
    worker.attempts.stop_unneeded(7, run);
    worker.loop.drain_until = steady_start + 10s;
    worker.attempts.take_back_waiting(steady_start + 1s);
    CHECK(worker.settled() ==
          "7:0.0#1 failed_for_good test: broken\n"
          "7:0.1#1 cancelled step_skipped: its step was skipped while this ran\n");
    CHECK(run.in_flight == 0);
    CHECK(run.due() == 0);
  }

  TEST_CASE("L9: runs that wait for a slot are released and the last to be started first") {
    Loaded worker;
    for (const RunKey key : {7, 8, 9}) worker.add(key);
    worker.add(10, "[0]", 1);
    worker.advancer.advance(worker.now);
    worker.now += OwnedRun::park_after - 1ms;
    worker.advancer.give_back(2);
    CHECK(worker.released() == "");
    worker.now += 1ms;
    worker.advancer.give_back(0);
    CHECK(worker.released() == "");
    worker.advancer.give_back(2);
    CHECK(worker.released() == "9 8 ");
    worker.loop.runs.remove_leaving([](RunKey) { return true; });
    CHECK(worker.loop.runs.size() == 2);
  }

  TEST_CASE("L9: no run is released of which something runs or has just run") {
    Loaded worker;
    OwnedRun& run = worker.add(7, "[0, 1, 2, 3, 4]");
    worker.start_due();
    worker.now += 30s;
    CHECK(run.due() == 1);
    worker.advancer.give_back(9);
    CHECK(worker.released() == "");
    worker.begin(4);
    for (const auto& attempt : std::exchange(worker.slots.given, {}))
      worker.slots.end(attempt, completes("1"), worker.now);
    worker.attempts.collect(worker.now);
    CHECK(run.in_flight == 0);
    worker.advancer.give_back(9);
    CHECK(worker.released() == "");
    worker.advancer.advance(worker.now);
    worker.now += OwnedRun::park_after - 1ms;
    worker.advancer.give_back(9);
    CHECK(worker.released() == "");
    worker.now += 1ms;
    worker.advancer.give_back(9);
    CHECK(worker.released() == "7 ");
  }

  TEST_CASE("F4: the window and what is held have no places for slots that are lost") {
    Loaded worker;
    worker.slots.without_thread = 3;
    worker.attempts.collect(worker.now);
    CHECK(worker.attempts.capacity().slots == 1);
    CHECK(worker.attempts.capacity().window == 1);
    CHECK(worker.attempts.pace().hold() == 1);
  }

  TEST_CASE("F1: what a host of plugins gives back is due again, and is not charged") {
    Loaded worker;
    OwnedRun& run = worker.add(7, "[0, 1]");
    worker.start_due();
    const auto attempt = worker.slots.given.at(1);
    worker.begin(2);
    attempt->given_back = true;
    worker.slots.end(attempt, {}, worker.now + 1s);
    worker.after(1s);
    CHECK(text_of(worker.attempts.stated()) == "7:0.0#1");
    CHECK(worker.settled() == "");
    CHECK(run.in_flight == 1);
    CHECK(worker.attempts.states_too_much());
    REQUIRE(run.due() == 1);
    const ReadyTask again = run.take_due();
    CHECK(text_of(again.task, again.attempt) == "0.1#1");
    CHECK(worker.lines.text() == "");
  }

  TEST_CASE("F4: what is given back after its timeout has timed out") {
    TestLoop worker;
    const TestFlow flow("late", {{"s", returns("1"), {}, "single", {.timeout_ms = 10'000}}});
    add_run(worker.loop.runs, flow, claim_of(7, "0")).refresh(start);
    worker.start_due();
    const auto attempt = worker.slots.given.at(0);
    FakeSlots::begin(*attempt, worker.now);
    worker.attempts.collect(worker.now + 10s);  // it is told to stop
    attempt->given_back = true;
    worker.slots.end(attempt, {}, worker.now + 10s);
    worker.attempts.collect(worker.now + 10s);
    CHECK(worker.settled() == "7:0.0#1 timed_out timed_out: no result within 10000 ms\n");
  }
}
