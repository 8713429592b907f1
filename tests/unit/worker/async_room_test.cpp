// The room of a worker for deferred calls: which tasks begin, and which wait for it.
#include "worker/async_room.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include "unit/worker/parts.hpp"
#include "worker/run_advancer.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// Four slots, room for `calls` deferred calls, and handlers of maps that the test defers.
struct Roomy : TestLoop {
  TestFlow flow{"wide", {{"each", returns("1"), {}, "map"}}};
  TestFlow other{"other", {{"each", returns("1"), {}, "map"}}};
  TestFlow plain{"plain", {{"each", returns("1"), {}, "map"}}};
  RunAdvancer advancer{loop, attempts, [](const OwnedRun&, Steady) { return false; }};
  std::vector<std::shared_ptr<Attempt>> pending;

  explicit Roomy(std::size_t calls, std::int64_t bytes = 1 << 30) {
    options.async_calls = calls;
    options.async_bytes = bytes;
    across.room.set_limits(calls, static_cast<std::size_t>(bytes));
  }

  OwnedRun& add(RunKey key, const TestFlow& of, std::size_t elements, int priority = 0) {
    std::string input = "[0";
    for (std::size_t i = 1; i < elements; ++i) input += ",0";
    return add_run(loop.runs, of, claim_of(key, (input + "]").c_str(), priority));
  }
  // The handlers that the slots were given since defer their calls; those of runs from 100 on do not,
  // and return. Those that cannot stay in their slots.
  void run_given() {
    for (const auto& attempt : std::exchange(slots.given, {})) {
      FakeSlots::begin(*attempt, now);
      if (attempt->run >= 100) {
        slots.end(attempt, completes("1"), now);
        continue;
      }
      if (pending.size() >= options.async_calls) continue;
      attempt->deferred.store(now.time_since_epoch().count(), std::memory_order_release);
      pending.push_back(attempt);
    }
    attempts.collect(now);
  }
  // Everything begins and is deferred that may.
  void settle_down() {
    for (int rounds = 0; rounds < 100; ++rounds) {
      start_due();
      if (slots.given.empty()) return;
      run_given();
    }
    FAIL("it does not settle down");
  }
  void complete(std::size_t which, const char* output = "1") {
    const auto attempt = pending.at(which);
    pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(which));
    slots.end(attempt, completes(output), now);
    attempts.collect(now);
  }
  std::size_t pending_of(RunKey run) const {
    return static_cast<std::size_t>(
        std::ranges::count(pending, run, [](const auto& attempt) { return attempt->run; }));
  }
};

}  // namespace

TEST_SUITE("worker: room for deferred calls") {
  TEST_CASE("A7: a step that defers does not begin while the room is used up and others may") {
    Roomy worker(6);
    worker.add(1, worker.flow, 40);
    worker.start_due();
    REQUIRE(worker.slots.given.size() == 4);  // it is not known yet what they do
    worker.run_given();
    worker.add(100, worker.plain, 3);
    worker.start_due();
    CHECK(worker.slots.text() == "100:0.0#1 1:0.4#1 100:0.1#1 1:0.5#1");
    worker.run_given();
    CHECK(worker.across.room.calls() == 6);
    worker.start_due();
    CHECK(worker.slots.text() == "100:0.2#1 1:0.6#1");  // half of the slots, as nothing else could
    CHECK(worker.attempts.waiting_for_room() == 33);
    CHECK(worker.attempts.startable() == 0);
  }

  TEST_CASE("A7: when a call completes the next begins at once") {
    Roomy worker(6);
    worker.options.slots = 1;
    worker.attempts.pace().set_slots(1, 0);
    worker.add(1, worker.flow, 10);
    for (int i = 0; i < 6; ++i) {
      worker.start_due();
      worker.run_given();
    }
    REQUIRE(worker.pending.size() == 6);
    worker.start_due();
    CHECK(worker.slots.text() == "");  // the only slot is for others
    worker.complete(2);
    worker.start_due();
    CHECK(worker.slots.text() == "1:0.6#1");
  }

  TEST_CASE("A7: a step whose call ended without being deferred begins as any other") {
    Roomy worker(6);
    worker.options.slots = 1;
    worker.attempts.pace().set_slots(1, 0);
    worker.add(1, worker.flow, 10);
    worker.start_due();
    worker.run_given();
    const weir_step* const step = worker.pending[0]->step;
    CHECK(worker.across.room.defers(step));
    worker.start_due();
    REQUIRE(worker.slots.given.size() == 1);
    CHECK(worker.across.room.calls() == 2);
    const auto returned = worker.slots.given[0];
    FakeSlots::begin(*returned, worker.now);
    worker.slots.end(returned, completes("1"), worker.now);
    worker.attempts.collect(worker.now);
    CHECK_FALSE(worker.across.room.defers(step));
    CHECK(worker.across.room.calls() == 1);
  }

  TEST_CASE("A7: a call that was completed before its handler returned was deferred too") {
    Roomy worker(6);
    worker.add(1, worker.flow, 1);
    worker.start_due();
    const auto attempt = worker.slots.given.at(0);
    FakeSlots::begin(*attempt, worker.now);
    attempt->deferred_as = 5;
    worker.slots.end(attempt, completes("1"), worker.now);
    worker.attempts.collect(worker.now);
    CHECK(worker.across.room.defers(attempt->step));
    CHECK(worker.across.room.calls() == 0);
  }

  TEST_CASE("A7: other steps of the same run begin though many elements wait for room") {
    const TestFlow both("both", {{"each", returns("1"), {}, "map"}, {"single", returns("3")}});
    Roomy worker(4);
    worker.add(1, both, 50);
    worker.start_due();
    REQUIRE(worker.slots.text() == "1:0.0#1 1:0.1#1 1:0.2#1 1:0.3#1");
    worker.run_given();
    worker.attempts.collect(worker.now);
    worker.start_due();
    // The step "single" was due after all elements; half of the slots are for no other.
    CHECK(worker.slots.text() == "1:1.0#1 1:0.4#1");
  }

  TEST_CASE("A4: a call whose attempt is over counts until it is completed") {
    Roomy worker(2);
    worker.options.slots = 1;
    worker.attempts.pace().set_slots(1, 0);
    worker.add(1, worker.flow, 5);
    worker.start_due();
    worker.run_given();
    worker.start_due();
    worker.run_given();
    worker.now += 60s;
    worker.attempts.collect(worker.now);  // told to stop
    worker.now += 1s;
    worker.attempts.collect(worker.now);  // abandoned
    CHECK(worker.slots.abandoned == std::vector<std::uint64_t>{1, 2});
    CHECK(worker.across.room.calls() == 2);
    // Nobody knows when these are completed: others are tried, and wait in the slot.
    CHECK_FALSE(worker.across.room.is_full());
    worker.start_due();
    CHECK(worker.slots.text() == "1:0.2#1");
    worker.complete(0);
    worker.complete(0);
    CHECK(worker.across.room.calls() == 0);
    CHECK(worker.across.room.bytes() == 0);
  }

  TEST_CASE("A8: flows that wait for room share it, and one alone has all of it") {
    Roomy worker(12);
    worker.add(1, worker.flow, 100);
    worker.settle_down();
    CHECK(worker.pending_of(1) == 12);
    worker.add(2, worker.other, 100);
    while (worker.pending_of(2) < 6) {
      REQUIRE(worker.pending_of(1) > 0);
      worker.complete(0);
      worker.start_due();
      worker.run_given();
    }
    for (int i = 0; i < 30; ++i) {
      worker.complete(static_cast<std::size_t>(i) % worker.pending.size());
      worker.start_due();
      worker.run_given();
    }
    CHECK(worker.across.room.calls_of("wide") == 6);
    CHECK(worker.across.room.calls_of("other") == 6);
  }

  TEST_CASE("A8: what a flow does not want of its share the others have") {
    AsyncRoom room;
    room.set_limits(100, 1 << 30);
    CHECK(room.share_of_each({{"a", 1'000}}) == 100);
    CHECK(room.share_of_each({{"a", 1'000}, {"b", 1'000}}) == 50);
    CHECK(room.share_of_each({{"a", 1'000}, {"b", 10}}) == 90);
    CHECK(room.share_of_each({{"a", 1'000}, {"b", 10}, {"c", 60}}) == 45);
    CHECK(room.share_of_each({{"a", 1'000}, {"b", 10}, {"c", 20}}) == 70);
    CHECK(room.share_of_each({{"a", 50}, {"b", 50}}) == AsyncRoom::unlimited);
  }

  TEST_CASE("A8: of two flows the one with fewer attempts in slots is given the next one") {
    Roomy worker(6);
    worker.add(100, worker.plain, 50);
    worker.start_due();
    REQUIRE(worker.slots.given.size() == 4);
    worker.add(101, worker.other, 50);
    for (int i = 0; i < 2; ++i) {
      FakeSlots::begin(*worker.slots.given[0], worker.now);
      worker.slots.end(worker.slots.given[0], completes("1"), worker.now);
      worker.slots.given.erase(worker.slots.given.begin());
      worker.attempts.collect(worker.now);
      worker.start_due();
    }
    CHECK(worker.slots.text() == "100:0.2#1 100:0.3#1 101:0.0#1 101:0.1#1");
  }

  TEST_CASE("A8: what waits for room and what pends keeps a worker from claiming nothing else") {
    Roomy worker(4);
    worker.add(1, worker.flow, 50).refresh(start);
    worker.start_due();
    worker.run_given();
    CHECK(worker.attempts.on_slots() == 0);
    CHECK(worker.attempts.startable() == 0);
    CHECK(worker.attempts.crowded() == std::set<VersionId>{1});  // but of this version
    worker.complete(0);
    CHECK(worker.attempts.startable() == 1);
    CHECK(worker.attempts.crowded().empty());
  }

  TEST_CASE("A8, L9: a run that waits for room for a second is given back, and not claimed again") {
    Roomy worker(4);
    worker.add(1, worker.flow, 4);
    worker.start_due();
    worker.run_given();
    worker.add(2, worker.flow, 1).refresh(start);
    worker.now += 900ms;
    worker.advancer.give_back_crowded();
    CHECK(worker.loop.outbox.request().released.empty());
    worker.now += 100ms;
    worker.advancer.give_back_crowded();
    REQUIRE(worker.loop.outbox.request().released.size() == 1);
    CHECK(worker.loop.outbox.request().released[0].run == 2);
    CHECK(worker.attempts.crowded() == std::set<VersionId>{1});
    worker.complete(0);
    CHECK(worker.attempts.crowded().empty());
  }

  TEST_CASE("A9: no further calls are deferred while those that pend hold more than they may") {
    Roomy worker(1'000, 100);
    worker.options.slots = 1;
    worker.attempts.pace().set_slots(1, 0);
    const std::string element = '"' + std::string(38, 'x') + '"';
    std::string input = "[" + element;
    for (int i = 0; i < 9; ++i) input += "," + element;
    add_run(worker.loop.runs, worker.flow, claim_of(1, (input + "]").c_str()));
    worker.start_due();
    worker.run_given();  // it is larger alone: the input of its run is
    CHECK(worker.across.room.bytes() == input.size() + 1 + 40);
    worker.start_due();
    CHECK(worker.slots.text() == "");
    worker.complete(0);
    CHECK(worker.across.room.bytes() == 0);
    worker.start_due();
    CHECK(worker.slots.given.size() == 1);
  }

  TEST_CASE("A9: a call counts with as much as the results of its step have") {
    Roomy worker(1'000, 1 << 20);
    worker.add(1, worker.flow, 10);
    worker.start_due();
    worker.run_given();
    const std::string large = '"' + std::string(8'000, 'x') + '"';
    worker.complete(0, large.c_str());
    worker.start_due();
    REQUIRE(worker.slots.given.size() == 4);
    CHECK(worker.slots.given[0]->room_bytes == 1 + 1'000);  // an eighth: a moving average
  }

  TEST_CASE("A1: a call that pends costs the loop little memory") {
    constexpr std::size_t count = 20'000;
    Roomy worker(count);
    for (RunKey run = 1; run <= 4; ++run) worker.add(run, worker.flow, count / 4);
    for (auto& [key, run] : worker.loop.runs) run.refresh(worker.loop.database_now());
    const std::size_t before = mallinfo2().uordblks;
    while (worker.pending.size() < count) {
      worker.start_due();
      REQUIRE_FALSE(worker.slots.given.empty());
      worker.run_given();
    }
    const std::size_t each = (mallinfo2().uordblks - before) / count;
    MESSAGE("bytes for each pending call: ", each);
    CHECK(each < 1'500);
  }
}
