#include "worker/large_writes.hpp"

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"
#include "worker/run_advancer.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

std::string string_of(std::size_t bytes) { return '"' + std::string(bytes - 2, 'x') + '"'; }

constexpr std::size_t mebibyte = 1024 * 1024;

// A run of a step whose result is as large as the test wants, and of another that takes its time.
struct Writing : TestLoop {
  TestFlow flow{"f", {{"a", returns("1")}, {"b", returns("1")}, {"c", returns("1"), {"a"}}}};
  OwnedRun& run = add_run(loop.runs, flow, claim_of(7));
  RunAdvancer advancer{loop, attempts, [](const OwnedRun&, Steady) { return false; }};

  Writing() { start_due(); }

  // Ends the handler of a step that runs.
  void end(std::size_t step, const std::string& output) {
    for (const auto& attempt : slots.given) {
      if (attempt->task.step != step || attempt->run != 7) continue;
      FakeSlots::begin(*attempt, now);
      slots.end(attempt, completes(output.c_str()), now);
    }
    attempts.collect(now);
    advancer.advance(now);
  }
  std::string ended() const {
    std::string all;
    for (const EndedRun& each : loop.outbox.request().ended)
      all += fmt::format("{} {}\n", static_cast<int>(each.end.status), each.end.error);
    return all;
  }
  // As an exchange that was answered.
  void exchanged() {
    exchange(loop.outbox, {}, now);
    loop.runs.remove_leaving([&](RunKey each) { return !attempts.large().holds(each); });
  }
};

}  // namespace

TEST_SUITE("worker: large writes") {
  TEST_CASE(
      "L10: a result of a mebibyte is written beside the exchanges and a smaller one is not") {
    for (const std::size_t bytes : {mebibyte - 1, mebibyte}) {
      Writing worker;
      worker.end(0, string_of(bytes));
      CHECK(worker.attempts.large().holds(7) == (bytes == mebibyte));
      CHECK(worker.loop.outbox.request().settled.empty() == (bytes == mebibyte));
    }
  }

  TEST_CASE("P1: what builds on a large result is due when that is written and not before") {
    Writing worker;
    worker.store.take_calls();
    worker.end(0, string_of(mebibyte));
    CHECK(worker.store.take_calls().starts_with("write_large worker 1 run 7 plugin 0 0.0#1 compl"));
    CHECK(text_of(worker.attempts.stated()) == "7:1.0#1 7:0.0#1");
    CHECK(worker.attempts.size() == 1);  // nothing waits for its place
    CHECK(worker.run.in_flight == 2);
    CHECK(worker.run.due() == 0);
    CHECK(worker.advancer.take_written().has_value());
    worker.advancer.advance(worker.now);
    CHECK(worker.run.due() == 1);
    CHECK(worker.run.in_flight == 1);
    CHECK(text_of(worker.attempts.stated()) == "7:1.0#1");
    CHECK(worker.settled() == "");
  }

  TEST_CASE(
      "L10: a large end is written after the rows of its run and the run is kept until then") {
    Writing worker;
    worker.end(0, string_of(mebibyte));
    CHECK(worker.advancer.take_written().has_value());
    worker.advancer.advance(worker.now);
    worker.start_due();
    worker.end(1, string_of(mebibyte));
    CHECK(worker.advancer.take_written().has_value());
    worker.advancer.advance(worker.now);
    worker.store.take_calls();
    worker.loop.outbox.set_listeners(false, true);
    worker.end(2, "5");
    CHECK(worker.settled() == "7:2.0#1 completed 5\n");
    CHECK(worker.store.take_calls() == "");
    CHECK_FALSE(worker.run.leaving);
    worker.exchanged();
    worker.advancer.advance(worker.now);
    CHECK(worker.store.take_calls() == "write_large worker 1 run 7 ends\n");
    CHECK(worker.run.leaving);
    worker.exchanged();
    REQUIRE(worker.loop.runs.find(7) != nullptr);
    CHECK(worker.loop.outbox.request().events.empty());
    CHECK(worker.advancer.take_written().has_value());
    CHECK(worker.loop.runs.find(7) == nullptr);
    REQUIRE(worker.loop.outbox.request().events.size() == 1);
    CHECK(worker.loop.outbox.request().events[0].name == "run:completed");
    CHECK(worker.ended() == "");
  }

  TEST_CASE("F9: a large result that cannot be stored fails its run") {
    Writing worker;
    worker.store.answers.write_large.next(
        refused(ErrorCode::invalid_input, "too odd", "refused_value"));
    worker.end(0, string_of(mebibyte));
    CHECK(worker.advancer.take_written().has_value());
    CHECK(
        worker.ended() ==
        "2 the database cannot store a value of it: too odd (let its steps return less, or another "
        "value)\n");
    CHECK(worker.run.leaving);
    CHECK(worker.run.in_flight == 0);
  }

  TEST_CASE("F9: a run of which two values cannot be stored fails once") {
    Writing worker;
    for (int value = 0; value < 2; ++value)
      worker.store.answers.write_large.next(
          refused(ErrorCode::invalid_input, "too odd", "refused_value"));
    worker.end(0, string_of(mebibyte));
    worker.end(1, string_of(mebibyte));
    CHECK(worker.advancer.take_written().has_value());
    worker.advancer.advance(worker.now);
    CHECK(worker.ended().starts_with("2 the database cannot store a value of it: too odd"));
    CHECK(worker.run.in_flight == 0);
  }

  TEST_CASE("F9: a row that was to be sent with a value that is refused goes with it") {
    Writing worker;
    worker.store.answers.write_large.next(
        refused(ErrorCode::invalid_input, "too odd", "refused_value"));
    worker.end(0, string_of(mebibyte));
    worker.end(1, "5");
    CHECK(worker.settled() == "7:1.0#1 completed 5\n");
    CHECK(worker.advancer.take_written().has_value());
    CHECK(worker.settled() == "");
  }

  TEST_CASE("P6: a large result that a map cannot run over fails in the exchange") {
    TestLoop worker;
    const TestFlow flow("f", {{"a", returns("1")}, {"b", returns("1"), {"a"}, "map"}});
    add_run(worker.loop.runs, flow, claim_of(7));
    worker.start_due();
    FakeSlots::begin(*worker.slots.given.at(0), worker.now);
    worker.slots.end(worker.slots.given.at(0), completes(string_of(mebibyte).c_str()), worker.now);
    worker.attempts.collect(worker.now);
    CHECK(worker.attempts.large().empty());
    CHECK(worker.settled().starts_with("7:0.0#1 failed_for_good"));
  }

  TEST_CASE("L10: nothing more begins while so much is being written") {
    Writing worker;
    const OwnedRun& other = add_run(worker.loop.runs, worker.flow, 8);
    worker.end(0, string_of(LargeWrites::bytes_max));
    worker.slots.given.clear();
    worker.start_due();
    CHECK(worker.slots.given.empty());
    CHECK(other.due() == 2);
    CHECK(worker.advancer.take_written().has_value());
    worker.start_due();
    CHECK(worker.slots.given.size() == 3);
  }

  TEST_CASE("F9: a large end that cannot be stored fails its run") {
    Writing worker;
    worker.end(0, "1");
    worker.start_due();
    worker.end(1, string_of(mebibyte));
    CHECK(worker.advancer.take_written().has_value());
    worker.exchanged();
    worker.store.answers.write_large.next(
        refused(ErrorCode::invalid_input, "too odd", "refused_value"));
    worker.start_due();
    worker.end(2, "5");
    worker.exchanged();
    worker.advancer.advance(worker.now);
    CHECK(worker.run.leaving);
    CHECK(worker.advancer.take_written().has_value());
    CHECK(worker.ended().starts_with("2 the database cannot store a value of it: too odd"));
  }

  TEST_CASE("L2: a large value of a run that was lost ends the life of the worker") {
    Writing worker;
    worker.store.answers.write_large.next(refused(ErrorCode::lease_lost));
    worker.end(0, string_of(mebibyte));
    const auto taken = worker.advancer.take_written();
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == ErrorCode::lease_lost);
    worker.attempts.forget();
    CHECK(worker.attempts.large().empty());
  }

  TEST_CASE(
      "C8: a large end of a child run is journaled beside the exchanges and charged to nobody") {
    TestLoop worker;
    const TestFlow parent("parent", {TestFlow::child("call", {}, "other")});
    OwnedRun& run = add_run(worker.loop.runs, parent, claim_of(7));
    RunAdvancer advancer{worker.loop, worker.attempts,
                         [](const OwnedRun&, Steady) { return false; }};
    advancer.advance(worker.now);
    CHECK(advancer.start_child_runs().has_value());
    RunNotifications told{.count = 1};
    told.children[{0, 1}] = {.id = "child",
                             .output = Json::trusted("{\"a\":" + string_of(mebibyte) + "}")};
    run.receive(told);
    worker.store.take_calls();
    advancer.advance(worker.now);
    CHECK(worker.store.take_calls().starts_with("write_large worker 1 run 7 plugin 0 0.0#1 compl"));
    CHECK(worker.attempts.stated().empty());
    CHECK(run.in_flight == 1);
    CHECK_FALSE(run.leaving);
    CHECK(worker.settled() == "");
    CHECK(advancer.take_written().has_value());
    CHECK(run.in_flight == 0);
    advancer.advance(worker.now);  // the output of the run is large, too
    CHECK(worker.store.take_calls() == "write_large worker 1 run 7 ends\n");
  }

  TEST_CASE("F6: a run that ends while a large result of it is written ends after that") {
    Writing worker;
    worker.end(0, string_of(mebibyte));
    worker.store.keeps_large = true;
    worker.run.receive({.count = 1, .cancelled = "enough"});
    worker.advancer.advance(worker.now);
    CHECK(worker.settled() == "7:1.0#1 cancelled run_ended: the run ended while this ran\n");
    CHECK(worker.ended() == "");
    CHECK(worker.advancer.take_written().has_value());
    worker.advancer.advance(worker.now);
    CHECK(worker.ended() == "3 enough\n");
  }

  TEST_CASE("F6: a run that ends does not wait for large results that nobody has begun to write") {
    Writing worker;
    worker.end(0, string_of(mebibyte));
    worker.run.receive({.count = 1, .cancelled = "enough"});
    worker.advancer.advance(worker.now);
    CHECK(worker.settled() ==
          "7:1.0#1 cancelled run_ended: the run ended while this ran\n"
          "7:0.0#1 cancelled run_ended: the run ended while this ran\n");
    CHECK(worker.ended() == "3 enough\n");
    CHECK(worker.run.in_flight == 0);
    CHECK(worker.attempts.large().empty());
    CHECK(worker.attempts.stated().empty());
  }

  TEST_CASE("F9: a run that fails withdraws the large results that nobody has begun to write") {
    Writing worker;
    worker.store.answers.write_large.next(
        refused(ErrorCode::invalid_input, "too odd", "refused_value"));
    worker.end(0, string_of(mebibyte));
    worker.end(1, string_of(mebibyte));
    worker.store.writes_max = 1;
    CHECK(worker.advancer.take_written().has_value());
    CHECK(worker.ended().starts_with("2 the database cannot store a value of it: too odd"));
    CHECK(worker.run.in_flight == 0);
    CHECK(worker.attempts.large().empty());
  }
}
