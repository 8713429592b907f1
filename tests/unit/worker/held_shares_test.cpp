#include "worker/held_shares.hpp"

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"
#include "worker/share_pause.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

using Shares = std::vector<ShareId>;

const Capacity idle_worker{.slots = 4, .window = 4, .in_flight = 0, .due = 0};

TakenShare share_of(ShareId share, std::vector<std::size_t> indexes, VersionId version = 1) {
  TakenShare taken;
  taken.share = share;
  taken.run = 7;
  taken.run_id = "run-7";
  taken.version = version;
  taken.attempt = 2;
  taken.inputs.assign(indexes.size(), Json::trusted("5"));
  taken.indexes = std::move(indexes);
  taken.run_input = Json::trusted("[5, 5]");
  return taken;
}

// A worker that can run version 1, which is a map with one step, of plugin 3.
struct Helper : TestRegistry {
  const TestFlow flow{"wide", {{"each", returns("1"), {}, "map", {.max_attempts = 9}}}};
  HeldShares held{&store, flows, *log};
  const std::vector<VersionId> versions{1};

  Helper() {
    place(flow, "aa");
    store.answers.register_plugin.next(3);
    REQUIRE(flows.refresh(steady_start + 1s).has_value());
    store.take_calls();
  }
  void take(TakenShare share) {
    store.answers.take_shares.next(std::vector{std::move(share)});
    held.wake();
    CHECK(turn().empty());
    store.take_calls();
  }
  Shares turn(bool takes = true, const Capacity& capacity = idle_worker) {
    return held.turn(1, now, versions, capacity, takes);
  }
  Shares turn_without_versions() { return held.turn(1, now, {}, idle_worker, true); }
  // Runs the next element to its end.
  void run_next(const char* output = "1") {
    const auto attempt = held.next(steady_start);
    REQUIRE(attempt != nullptr);
    held.settle(*attempt, HeldShares::row_of(*attempt, completes(output)), now);
  }
};

constexpr const char* take_one = "take_shares worker 1 count 1 versions 1\n";
constexpr const char* settle_0 = "settle_share worker 1 share 2 plugin 3: 0.0#2 completed 1\n";

}  // namespace

TEST_SUITE("worker: held shares") {
  TEST_CASE("L7: each element of a share is run once and in order") {
    Helper helper;
    CHECK(helper.held.empty());
    CHECK(helper.held.next(steady_start) == nullptr);
    helper.take(share_of(2, {3, 4, 9}));
    CHECK_FALSE(helper.held.empty());
    CHECK(helper.held.waiting() == 3);
    std::string run;
    while (const auto attempt = helper.held.next(steady_start))
      run += text_of(attempt->task, attempt->number) + " ";
    CHECK(run == "0.3#2 0.4#2 0.9#2 ");
    CHECK(helper.held.waiting() == 0);
    CHECK_FALSE(helper.held.empty());
  }

  TEST_CASE("P2: an element has its own input and all that its handler may ask for") {
    Helper helper;
    TakenShare share = share_of(2, {3, 4});
    share.inputs[0] = Json::trusted("\"x\"");
    helper.take(std::move(share));
    const auto attempt = helper.held.next(steady_start);
    REQUIRE(attempt != nullptr);
    CHECK(attempt->share == 2);
    CHECK(attempt->run == 7);
    CHECK(attempt->run_id == "run-7");
    CHECK(attempt->input.text() == "\"x\"");
    CHECK(attempt->flow_input.text() == "[5, 5]");
    CHECK(attempt->flow == helper.flows.find(1)->module);
    CHECK(attempt->step == helper.flows.find(1)->module->steps[0]);
    CHECK(attempt->plugin == 3);
    CHECK(attempt->options.max_attempts == 9);
    CHECK(helper.held.next(steady_start)->input.text() == "5");
  }

  TEST_CASE("the row of a shared element says what its attempt returned") {
    Attempt attempt;
    attempt.task = {.step = 1, .index = 2};
    attempt.number = 3;
    CHECK(text_of(HeldShares::row_of(attempt, completes("4"))) == "1.2#3 completed 4");
    AttemptResult result = fails();
    result.retry_after = 5ms;
    const JournalRow row = HeldShares::row_of(attempt, std::move(result));
    CHECK(text_of(row) == "1.2#3 failed test: broken");
    CHECK(row.retry_after == 5ms);
  }

  TEST_CASE("a worker without a store of shares takes none") {
    Helper helper;
    HeldShares none(nullptr, helper.flows, *helper.log);
    CHECK(none.turn(1, helper.now, helper.versions, idle_worker, true).empty());
    CHECK(none.next_turn(idle_worker, true) == Steady::max());
    CHECK(helper.store.take_calls() == "");
  }

  TEST_CASE("L7: a worker that found no share looks again after a second or when it is woken") {
    Helper helper;
    CHECK(helper.held.next_turn(idle_worker, true) <= helper.now);
    CHECK(helper.turn().empty());
    CHECK(helper.store.take_calls() == take_one);
    CHECK(helper.held.next_turn(idle_worker, true) == helper.now + 1s);
    CHECK(helper.held.next_turn(idle_worker, false) == Steady::max());
    helper.now += 1s - 1ns;
    helper.turn();
    CHECK(helper.store.take_calls() == "");
    helper.now += 1ns;
    helper.turn();
    CHECK(helper.store.take_calls() == take_one);
    helper.held.wake();
    helper.turn();
    CHECK(helper.store.take_calls() == take_one);
  }

  TEST_CASE("L7: shares are taken only for slots that nothing else needs") {
    const auto calls = [](const Capacity& capacity, bool takes = true) {
      Helper helper;
      helper.turn(takes, capacity);
      return helper.store.take_calls();
    };
    CHECK(calls(idle_worker) == take_one);
    CHECK(calls(idle_worker, false) == "");
    CHECK(calls({.slots = 4, .window = 4, .in_flight = 3}) == take_one);
    CHECK(calls({.slots = 4, .window = 4, .in_flight = 4}) == "");
    CHECK(calls({.slots = 4, .window = 4, .in_flight = 0, .due = 1}) == "");
    Helper helper;
    helper.turn_without_versions();
    CHECK(helper.store.take_calls() == "");
  }

  TEST_CASE("L7: while tasks are short the next share is taken before the last one has ended") {
    const auto asks = [](std::size_t elements, double seconds) {
      Helper helper;
      std::vector<std::size_t> indexes(elements);
      for (std::size_t i = 0; i < elements; ++i) indexes[i] = i;
      helper.take(share_of(2, indexes));
      const Capacity busy{.slots = 4, .window = 8, .in_flight = 4, .task_seconds = seconds};
      const bool wants = helper.held.next_turn(busy, true) != Steady::max();
      helper.turn(true, busy);
      CHECK(wants != helper.store.take_calls().empty());
      return wants;
    };
    CHECK(asks(8, 0.03125));         // a quarter of a second for four slots
    CHECK_FALSE(asks(16, 0.03125));  // half a second
    CHECK_FALSE(asks(1, 0.125));     // long tasks
    Helper helper;
    const Capacity busy{.slots = 4, .window = 8, .in_flight = 4, .task_seconds = 0.01};
    helper.turn(true, busy);
    CHECK(helper.store.take_calls() == "");  // a share of nothing is none
  }

  TEST_CASE("the input of a run is fetched once while its shares are held") {
    Helper helper;
    helper.take(share_of(2, {0}));
    TakenShare second = share_of(3, {1});
    second.run_input.reset();
    helper.store.answers.take_shares.next(std::vector{second});
    helper.turn();
    CHECK(helper.store.take_calls() == "take_shares worker 1 count 1 versions 1 knows 7\n");
    CHECK(helper.held.next(steady_start)->flow_input.text() == "[5, 5]");
    CHECK(helper.held.next(steady_start)->flow_input.text() == "[5, 5]");
  }

  TEST_CASE("the input of a run none of whose shares is held goes when another run's is taken") {
    Helper helper;
    helper.take(share_of(2, {0}));
    helper.run_next();
    helper.turn(false);
    CHECK(helper.held.empty());
    TakenShare other = share_of(3, {1});
    other.run = 8;
    helper.take(other);
    helper.held.wake();
    helper.turn();
    CHECK(helper.store.take_calls() == "take_shares worker 1 count 1 versions 1 knows 8\n");
  }

  TEST_CASE("a share whose last element has ended is journaled at once and is over") {
    Helper helper;
    helper.take(share_of(2, {0}));
    helper.run_next();
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == settle_0);
    CHECK(helper.held.empty());
  }

  TEST_CASE("results of a share that goes on are journaled together after 20 ms") {
    Helper helper;
    helper.take(share_of(2, {0, 1, 2}));
    helper.run_next();
    const Steady first = helper.now;
    CHECK(helper.held.next_turn(idle_worker, false) == first + 20ms);
    helper.now += 10ms;
    helper.run_next();
    CHECK(helper.held.next_turn(idle_worker, false) == first + 20ms);
    helper.now = first + 20ms - 1ns;
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "");
    helper.now = first + 20ms;
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() ==
          "settle_share worker 1 share 2 plugin 3: 0.0#2 completed 1 0.1#2 completed 1\n");
    CHECK(helper.held.next_turn(idle_worker, false) == Steady::max());
    CHECK_FALSE(helper.held.empty());
    helper.run_next();
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() ==
          "settle_share worker 1 share 2 plugin 3: 0.2#2 completed 1\n");
  }

  TEST_CASE("128 results or 4 MiB of them are journaled at once") {
    std::vector<std::size_t> indexes(200);
    for (std::size_t i = 0; i < indexes.size(); ++i) indexes[i] = i;
    Helper many;
    many.take(share_of(2, indexes));
    for (int i = 0; i < 127; ++i) many.run_next();
    many.turn(false);
    CHECK(many.store.take_calls() == "");
    many.run_next();
    many.turn(false);
    CHECK(many.store.take_calls() != "");
    Helper large;
    large.take(share_of(2, indexes));
    large.run_next(std::string(4 * 1024 * 1024 - 1, '1').c_str());
    large.turn(false);
    CHECK(large.store.take_calls() == "");
    large.run_next();
    large.turn(false);
    CHECK(large.store.take_calls() != "");
    large.run_next();  // counts from nothing again
    large.turn(false);
    CHECK(large.store.take_calls() == "");
  }

  TEST_CASE("L2: a share that the database refuses is dropped whole and its results with it") {
    Helper helper;
    helper.take(share_of(2, {0, 1, 2}));
    helper.take(share_of(3, {5}));
    const auto late = helper.held.next(steady_start);
    helper.run_next();
    helper.now += 20ms;
    helper.store.answers.settle_share.next(refused(ErrorCode::lease_lost, "not yours"));
    CHECK(helper.turn(false).empty());
    CHECK(helper.held.take_lease_unconfirmed());
    CHECK_FALSE(helper.held.take_lease_unconfirmed());
    helper.store.answers.held_shares.next(Shares{3});
    CHECK(helper.turn(false) == Shares{2});
    CHECK(helper.lines.with_levels() ==
          "info: run run-7: a share of it is dropped: the database has ended it, or given it to "
          "another worker\n");
    CHECK(helper.held.waiting() == 1);
    helper.store.take_calls();
    helper.held.settle(*late, HeldShares::row_of(*late, completes("1")), helper.now);
    helper.now += 1s;
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "");
    const auto kept = helper.held.next(steady_start);
    REQUIRE(kept != nullptr);
    CHECK(kept->task.index == 5);
    CHECK(helper.held.next(steady_start) == nullptr);
  }

  TEST_CASE("F11: a share that was refused with a lease that holds again is kept") {
    Helper helper;
    helper.take(share_of(2, {0, 1}));
    helper.run_next();
    helper.now += 20ms;
    helper.store.answers.settle_share.next(refused(ErrorCode::lease_lost, "lapsed"));
    CHECK(helper.turn(false).empty());
    CHECK(helper.held.take_lease_unconfirmed());
    helper.store.take_calls();
    helper.store.answers.held_shares.next(Shares{2});
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "held_shares worker 1\n");
    helper.now += pause_after_failure;
    helper.store.answers.settle_share.next(1);
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() ==
          "settle_share worker 1 share 2 plugin 3: 0.0#2 completed 1\n");
    CHECK(helper.held.next(steady_start)->task.index == 1);
  }

  TEST_CASE("F11: a share that is in doubt is compared before another is taken") {
    Helper helper;
    helper.take(share_of(2, {0, 1}));
    helper.run_next();
    helper.run_next();
    helper.now += 20ms;
    helper.held.wake();
    helper.store.answers.settle_share.next(refused(ErrorCode::lease_lost, "not yours"));
    CHECK(helper.turn().empty());
    CHECK(helper.store.take_calls() ==
          "settle_share worker 1 share 2 plugin 3: 0.0#2 completed 1 0.1#2 completed 1\n");
    helper.store.answers.held_shares.next(Shares{});
    CHECK(helper.turn() == Shares{2});
    CHECK(helper.store.take_calls() ==
          "held_shares worker 1\ntake_shares worker 1 count 1 versions 1 knows 7\n");
  }

  // After a crash that lost that it was taken, others may have it, and so may the worker.
  TEST_CASE("F11: a share that is given anew while it is held is run anew") {
    Helper helper;
    helper.take(share_of(2, {0, 1, 2}));
    helper.run_next();
    helper.store.answers.take_shares.next(std::vector{share_of(2, {0, 1, 2})});
    helper.held.wake();
    CHECK(helper.turn() == Shares{2});
    CHECK(helper.held.waiting() == 3);
    for (int element = 0; element < 3; ++element) helper.run_next();
    helper.store.take_calls();
    helper.now += 20ms;
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls().starts_with("settle_share worker 1 share 2 plugin 3: 0.0#2"));
    CHECK(helper.held.empty());
    CHECK(helper.held.waiting() == 0);
    helper.held.wake();
    CHECK(helper.turn().empty());
    CHECK(helper.store.take_calls() == "take_shares worker 1 count 1 versions 1 knows 7\n");
  }

  TEST_CASE("F9: of results of which one cannot be stored that one is journaled as a failure") {
    Helper helper;
    helper.take(share_of(2, {0, 1, 2}));
    helper.run_next();
    helper.run_next("2");
    helper.run_next("3");
    const auto cannot = refused(ErrorCode::invalid_input, "overflows");
    helper.store.answers.settle_share.next(cannot);
    helper.store.answers.settle_share.next(2);
    helper.store.answers.settle_share.next(cannot);
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() ==
          "settle_share worker 1 share 2 plugin 3: 0.0#2 completed 1 0.1#2 completed 2 0.2#2 "
          "completed 3\n"
          "settle_share worker 1 share 2 plugin 3: 0.0#2 completed 1\n"
          "settle_share worker 1 share 2 plugin 3: 0.1#2 completed 2\n"
          "settle_share worker 1 share 2 plugin 3: 0.1#2 failed_for_good refused_value: the "
          "database cannot store its output: overflows\n"
          "settle_share worker 1 share 2 plugin 3: 0.2#2 completed 3\n");
    CHECK(helper.held.empty());
  }

  TEST_CASE("L8: a share that is locked is journaled later and delays no other") {
    Helper helper;
    helper.take(share_of(2, {0}));
    helper.take(share_of(3, {1}));
    helper.run_next();
    helper.run_next();
    helper.store.answers.settle_share.next(refused(ErrorCode::unavailable, "locked", "try_again"));
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() ==
          std::string(settle_0) + "settle_share worker 1 share 3 plugin 3: 0.1#2 completed 1\n");
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "");
    CHECK(helper.held.next_turn(idle_worker, false) == helper.now + 100ms);
    helper.now += 100ms;
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == settle_0);
    CHECK(helper.held.empty());
  }

  TEST_CASE("L6: what the database did not answer is repeated after a pause and nothing is lost") {
    for (const ErrorCode away : {ErrorCode::unavailable, ErrorCode::in_doubt}) {
      Helper helper;
      helper.take(share_of(2, {0}));
      helper.run_next();
      helper.store.answers.settle_share.next(refused(away));
      CHECK(helper.turn().empty());
      CHECK(helper.store.take_calls() == settle_0);
      CHECK(helper.lines.text() == "");
      CHECK_FALSE(helper.held.take_lease_unconfirmed());
      CHECK(helper.held.next_turn(idle_worker, true) == helper.now + 100ms);
      helper.now += 100ms - 1ns;
      CHECK(helper.turn().empty());
      CHECK(helper.store.take_calls() == "");
      helper.now += 1ns;
      helper.store.answers.held_shares.next(Shares{2});
      CHECK(helper.turn(false).empty());
      CHECK(helper.store.take_calls() == std::string("held_shares worker 1\n") + settle_0);
      CHECK(helper.held.empty());
    }
  }

  TEST_CASE("a share that is refused for another reason is returned in the next turn") {
    Helper helper;
    helper.take(share_of(2, {0}));
    helper.run_next();
    helper.store.answers.settle_share.next(refused(ErrorCode::internal, "a bug"));
    CHECK(helper.turn(false) == Shares{2});
    CHECK(helper.lines.with_levels() ==
          "info: run run-7: a share of it is dropped: a bug\n"
          "error: cannot take part in shared work: a bug\n");
    helper.store.take_calls();
    helper.now += 100ms;
    helper.store.answers.held_shares.next(Shares{2});
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() ==
          "held_shares worker 1\nreturn_share worker 1 share 2 from 0\n");
  }

  TEST_CASE("L6: after a notification a worker drops shares that ended and returns unknown ones") {
    Helper helper;
    helper.take(share_of(2, {0, 1}));
    helper.take(share_of(3, {5}));
    helper.held.notify();
    helper.store.answers.held_shares.next(Shares{3, 4});
    CHECK(helper.turn(false) == Shares{2});
    CHECK(helper.store.take_calls() ==
          "held_shares worker 1\nreturn_share worker 1 share 4 from 0\n");
    CHECK(helper.held.waiting() == 1);
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "");
  }

  TEST_CASE("L6: a share that is given after nobody waits for the answer any more is returned") {
    Helper helper;
    helper.store.answers.take_shares.next(refused(ErrorCode::unavailable));
    CHECK(helper.turn().empty());
    helper.now += 100ms;
    CHECK(helper.turn().empty());  // the request is not committed yet
    CHECK(helper.store.take_calls() == std::string(take_one) + "held_shares worker 1\n" + take_one);
    CHECK(helper.held.next_turn(idle_worker, false) == helper.now + 5s);
    helper.now += 5s;
    helper.store.answers.held_shares.next(Shares{9});
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() ==
          "held_shares worker 1\nreturn_share worker 1 share 9 from 0\n");
    CHECK(helper.held.next_turn(idle_worker, false) == helper.now + 5s);
    helper.held.forget();
    CHECK(helper.held.next_turn(idle_worker, false) == Steady::max());
  }

  TEST_CASE("L6: a comparison that failed is repeated") {
    Helper helper;
    helper.take(share_of(2, {0}));
    helper.held.notify();
    helper.store.answers.held_shares.next(refused(ErrorCode::unavailable));
    CHECK(helper.turn(false).empty());
    helper.now += 100ms;
    helper.store.answers.held_shares.next(Shares{2, 4});
    helper.store.answers.return_share.next(refused(ErrorCode::lease_lost));
    CHECK(helper.turn(false).empty());
    CHECK(helper.held.take_lease_unconfirmed());
    helper.store.take_calls();
    helper.now += 100ms;
    helper.store.answers.held_shares.next(Shares{});
    CHECK(helper.turn(false) == Shares{2});
    CHECK(helper.store.take_calls() == "held_shares worker 1\n");
  }

  TEST_CASE("L5: what was not begun is returned when its version may not start any more") {
    Helper helper;
    helper.take(share_of(2, {0, 1, 2}));
    const auto running = helper.held.next(steady_start);
    CHECK(helper.turn_without_versions().empty());
    CHECK(helper.store.take_calls() == "return_share worker 1 share 2 from 1\n");
    CHECK(helper.held.waiting() == 0);
    CHECK(helper.held.next(steady_start) == nullptr);
    CHECK_FALSE(helper.held.empty());
    CHECK(helper.turn_without_versions().empty());
    CHECK(helper.store.take_calls() == "");
    helper.held.settle(*running, HeldShares::row_of(*running, completes("1")), helper.now);
    CHECK(helper.turn_without_versions().empty());
    CHECK(helper.store.take_calls() == settle_0);
    CHECK(helper.held.empty());
  }

  TEST_CASE("L5: a share of which nothing runs is over once it is returned") {
    Helper helper;
    helper.take(share_of(2, {3, 4}));
    helper.store.answers.return_share.next(refused(ErrorCode::unavailable));
    CHECK(helper.turn_without_versions().empty());
    CHECK(helper.held.waiting() == 2);
    helper.store.take_calls();
    helper.now += 100ms;
    helper.store.answers.held_shares.next(Shares{2});
    CHECK(helper.turn_without_versions().empty());
    CHECK(helper.store.take_calls() ==
          "held_shares worker 1\nreturn_share worker 1 share 2 from 3\n");
    CHECK(helper.held.empty());
    CHECK(helper.held.waiting() == 0);
  }

  TEST_CASE("L6: what may have been returned does not begin though its version may start again") {
    Helper helper;
    helper.take(share_of(2, {3, 4}));
    helper.store.answers.return_share.next(refused(ErrorCode::unavailable));
    CHECK(helper.turn_without_versions().empty());
    helper.store.take_calls();
    helper.now += 100ms;
    helper.store.answers.held_shares.next(Shares{2});
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() ==
          "held_shares worker 1\nreturn_share worker 1 share 2 from 3\n");
    CHECK(helper.held.next(steady_start) == nullptr);
    CHECK(helper.held.empty());
  }

  TEST_CASE(
      "F11: nothing begins of shares whose taking a crash may have lost before all is known") {
    Helper helper;
    helper.held.doubt_all();
    CHECK_FALSE(helper.held.in_doubt());
    helper.take(share_of(2, {0, 1}));
    helper.take(share_of(3, {4}));
    helper.held.doubt_all();
    CHECK(helper.held.in_doubt());
    CHECK(helper.held.next(steady_start) == nullptr);
    helper.store.answers.held_shares.next(Shares{3});
    CHECK(helper.turn(false) == Shares{2});
    CHECK_FALSE(helper.held.in_doubt());
    CHECK(helper.held.next(steady_start)->task.index == 4);
  }

  TEST_CASE("L4: a share of a version that is not served is returned at once") {
    Helper helper;
    helper.store.answers.take_shares.next(std::vector{share_of(2, {0}, 9)});
    CHECK(helper.turn().empty());
    CHECK(helper.store.take_calls() ==
          std::string(take_one) + "return_share worker 1 share 2 from 0\n");
    CHECK(helper.held.empty());
  }

  TEST_CASE("a comparison that failed is repeated after the pause though nothing else happens") {
    Helper helper;
    helper.take(share_of(2, {0}));
    REQUIRE(helper.held.next(steady_start) != nullptr);
    const Capacity busy{.slots = 1, .window = 1, .in_flight = 1};
    helper.held.notify();
    helper.store.answers.held_shares.next(refused(ErrorCode::unavailable));
    CHECK(helper.turn(false, busy).empty());
    CHECK(helper.held.next_turn(busy, false) == helper.now + 100ms);
  }

  TEST_CASE("a refusal ends the turn") {
    Helper helper;
    helper.take(share_of(2, {0}));
    helper.run_next();
    helper.store.answers.settle_share.next(refused(ErrorCode::internal));
    CHECK(helper.turn() == Shares{2});
    CHECK(helper.store.take_calls() == settle_0);
  }

  TEST_CASE("a worker that forgets its shares has none and tells nobody") {
    Helper helper;
    helper.take(share_of(2, {0, 1}));
    helper.run_next();
    helper.held.notify();
    helper.held.forget();
    CHECK(helper.held.empty());
    CHECK(helper.held.waiting() == 0);
    CHECK(helper.held.next(steady_start) == nullptr);
    helper.now += 1s;
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "");
    CHECK_FALSE(helper.held.take_lease_unconfirmed());
  }

  TEST_CASE("L9: what was put back of a share is returned with what waits behind it") {
    Helper helper;
    helper.take(share_of(2, {3, 4, 5, 9}));
    const auto begun = helper.held.next(steady_start);
    const auto fourth = helper.held.next(steady_start), fifth = helper.held.next(steady_start);
    helper.held.put_back(*fifth);
    helper.held.put_back(*fourth);
    CHECK(helper.held.waiting() == 3);
    CHECK(helper.held.next(steady_start) == nullptr);
    CHECK(helper.held.next_turn(idle_worker, false) <= helper.now);
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "return_share worker 1 share 2 from 4\n");
    CHECK(helper.held.waiting() == 0);
    CHECK(helper.held.next_turn(idle_worker, false) == Steady::max());
    helper.held.settle(*begun, HeldShares::row_of(*begun, completes("1")), helper.now);
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() ==
          "settle_share worker 1 share 2 plugin 3: 0.3#2 completed 1\n");
    CHECK(helper.held.empty());
  }

  TEST_CASE("L8: what waits of a share that is locked is returned later and wakes nobody before") {
    Helper helper;
    helper.take(share_of(2, {3, 4}));
    CHECK(helper.held.give_back(9, steady_start + 1s) == 2);
    helper.store.answers.return_share.next(
        refused(ErrorCode::unavailable, "it is locked", "try_again"));
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "return_share worker 1 share 2 from 3\n");
    const Steady retry_at = helper.held.next_turn(idle_worker, false);
    CHECK(retry_at == helper.now + pause_after_failure);
    helper.now = retry_at - 1ns;
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "");
    helper.now = retry_at;
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "return_share worker 1 share 2 from 3\n");
    CHECK(helper.held.waiting() == 0);
  }

  TEST_CASE("L9: a share of which nothing was chosen for a second is returned") {
    Helper helper;
    helper.take(share_of(2, {0, 1, 2}));
    helper.take(share_of(3, {4, 5}));
    REQUIRE(helper.held.next(steady_start + 500ms) != nullptr);  // of the first
    CHECK(helper.held.give_back(9, steady_start + 1s - 1ns) == 0);
    CHECK(helper.held.give_back(9, steady_start + 1s) == 2);
    CHECK(helper.turn(false).empty());
    CHECK(helper.store.take_calls() == "return_share worker 1 share 3 from 4\n");
    CHECK(helper.held.give_back(0, steady_start + 1h) == 0);
    CHECK(helper.held.waiting() == 2);
  }

  TEST_CASE("L9: no share is taken ahead for slots that run long tasks") {
    Helper helper;
    helper.take(share_of(2, {0}));
    Capacity capacity{
        .slots = 4, .blocked = 3, .window = 4, .in_flight = 4, .due = 0, .task_seconds = 0.001};
    helper.held.wake();
    CHECK(helper.turn(true, capacity).empty());
    CHECK(helper.store.take_calls() == "take_shares worker 1 count 1 versions 1 knows 7\n");
    capacity.blocked = 4;
    helper.held.wake();
    CHECK(helper.turn(true, capacity).empty());
    CHECK(helper.store.take_calls() == "");
  }

  TEST_CASE("L10: an output that was written beside the exchanges is not sent again") {
    Helper helper;
    helper.take(share_of(2, {0, 1}));
    const auto attempt = helper.held.next(steady_start);
    const JournalRow row = HeldShares::row_of(*attempt, completes("[1, 2]"));
    helper.held.note_written(*attempt, row, {}, helper.now);
    helper.run_next("7");
    CHECK(helper.turn().empty());
    CHECK(helper.store.take_calls().starts_with(
        "settle_share worker 1 share 2 plugin 3: 0.0#2 completed null 0.1#2 completed 7"));
    CHECK(helper.held.empty());
  }

  TEST_CASE("F9: a large output of an element that cannot be stored fails it for good") {
    Helper helper;
    helper.take(share_of(2, {0}));
    const auto attempt = helper.held.next(steady_start);
    helper.held.note_written(*attempt, HeldShares::row_of(*attempt, completes("[1, 2]")),
                             refused(ErrorCode::invalid_input, "too odd", "refused_value"),
                             helper.now);
    helper.turn();
    CHECK(helper.store.take_calls().starts_with(
        "settle_share worker 1 share 2 plugin 3: 0.0#2 failed_for_good refused_value: the database "
        "cannot store its output: too odd"));
  }

  TEST_CASE("L2: a share that is in doubt is kept until the database has it otherwise") {
    Helper helper;
    helper.take(share_of(2, {0, 1}));
    helper.take(share_of(3, {5}));
    CHECK(helper.held.doubt(2));
    CHECK(helper.held.take_lease_unconfirmed());
    helper.store.answers.held_shares.next(Shares{2, 3});
    CHECK(helper.turn().empty());
    CHECK(helper.held.doubt(2));
    helper.store.answers.held_shares.next(Shares{3});
    CHECK(helper.turn() == Shares{2});
    CHECK_FALSE(helper.held.doubt(2));
  }

  TEST_CASE("a share whose large output could not be written for now goes back to its owner") {
    Helper helper;
    helper.take(share_of(2, {0, 1}));
    const auto attempt = helper.held.next(steady_start);
    helper.held.note_written(*attempt, HeldShares::row_of(*attempt, completes("[1, 2]")),
                             refused(ErrorCode::internal), helper.now);
    CHECK(helper.turn() == Shares{2});
    CHECK_FALSE(helper.held.take_lease_unconfirmed());
    helper.store.take_calls();
    helper.store.answers.held_shares.next(std::vector<ShareId>{2});
    helper.now += 1s;
    helper.turn();
    CHECK(helper.store.take_calls().contains("return_share worker 1 share 2 from 0"));
  }
}
