#include "worker/open_settlements.hpp"

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

JournalRow row_at(std::size_t index, Outcome outcome) {
  JournalRow row{.task = {.step = 0, .index = index}, .outcome = outcome};
  if (outcome == Outcome::completed)
    row.output = Json::trusted("1");
  else
    row.error = "not settled";
  return row;
}

// Attempts of elements of the map of one run, the first one with plugin 3.
struct Settling {
  FakeStore store;
  OpenSettlements open;
  std::string resolved;

  void add(std::size_t index, RunKey run = 7) {
    auto attempt = std::make_shared<Attempt>();
    attempt->run = run;
    attempt->task = {.step = 0, .index = index};
    attempt->plugin = 3;
    open.add(std::move(attempt), row_at(index, Outcome::failed));
  }
  Result<void> ask(Steady now) {
    return open.resolve(1, now, store, [this](const Attempt& attempt, const JournalRow& row) {
      CHECK(attempt.task == row.task);
      resolved += fmt::format("{}:{}\n", attempt.run, text_of(row));
    });
  }
  std::string stated() const {
    std::vector<InFlightTask> in_flight;
    open.state(in_flight);
    return text_of(in_flight);
  }
};

std::string question(std::size_t index) {
  return fmt::format("resolve worker 1 run 7 plugin 3 0.{}#1 failed: not settled\n", index);
}

}  // namespace

TEST_SUITE("worker: open settlements") {
  TEST_CASE("C9: without any there is nothing to ask") {
    Settling none;
    CHECK(none.open.empty());
    CHECK_FALSE(none.open.due_at().has_value());
    CHECK(none.ask(steady_start).has_value());
    CHECK(none.store.take_calls() == "");
    CHECK_FALSE(none.open.holds(7));
  }

  TEST_CASE("C9: the row that the database has decides and not the worker's own") {
    Settling settling;
    settling.add(0);
    CHECK(settling.open.due_at() <= steady_start);
    settling.store.answers.resolve.next(row_at(0, Outcome::completed));
    CHECK(settling.ask(steady_start).has_value());
    CHECK(settling.store.take_calls() == question(0));
    CHECK(settling.resolved == "7:0.0#1 completed 1\n");
    CHECK(settling.open.empty());
    CHECK(settling.ask(steady_start + 1h).has_value());
    CHECK(settling.store.take_calls() == "");
  }

  TEST_CASE("C9: while the transaction is open or the database away it is asked ever more rarely") {
    for (const bool away : {false, true}) {
      CAPTURE(away);
      Settling settling;
      settling.add(0);
      Steady now = steady_start;
      for (const auto pause : {5ms, 10ms, 20ms, 40ms, 80ms, 160ms, 320ms, 500ms, 500ms}) {
        if (away) settling.store.answers.resolve.next(refused(ErrorCode::unavailable));
        CHECK(settling.ask(now).has_value());
        CHECK(settling.store.take_calls() == question(0));
        CHECK(settling.open.due_at() == now + pause);
        CHECK(settling.ask(now + pause - 1ns).has_value());
        CHECK(settling.store.take_calls() == "");
        now += pause;
      }
      CHECK(settling.resolved == "");
      settling.store.answers.resolve.next(row_at(0, Outcome::failed));
      CHECK(settling.ask(now).has_value());
      CHECK(settling.resolved == "7:0.0#1 failed: not settled\n");
    }
  }

  TEST_CASE("C9: an attempt stays stated and its run held until it is resolved") {
    Settling settling;
    settling.add(0);
    settling.add(1);
    settling.add(2, 8);
    CHECK(settling.stated() == "7:0.0#1 7:0.1#1 8:0.2#1");
    settling.store.answers.resolve.next(row_at(0, Outcome::completed));
    settling.store.answers.resolve.next(std::nullopt);
    settling.store.answers.resolve.next(row_at(2, Outcome::completed));
    CHECK(settling.ask(steady_start).has_value());
    CHECK(settling.resolved == "7:0.0#1 completed 1\n8:0.2#1 completed 1\n");
    CHECK(settling.stated() == "7:0.1#1");
    CHECK(settling.open.holds(7));
    CHECK_FALSE(settling.open.holds(8));
    settling.store.answers.resolve.next(row_at(1, Outcome::failed));
    CHECK(settling.ask(steady_start + 5ms).has_value());
    CHECK_FALSE(settling.open.holds(7));
    CHECK(settling.stated() == "");
  }

  TEST_CASE("each attempt has its own pause and the next one to ask about is the first of them") {
    Settling settling;
    settling.add(0);
    CHECK(settling.ask(steady_start).has_value());
    CHECK(settling.ask(steady_start + 5ms).has_value());
    settling.store.take_calls();
    settling.add(1);
    CHECK(settling.ask(steady_start + 6ms).has_value());
    CHECK(settling.store.take_calls() == question(1));
    CHECK(settling.open.due_at() == steady_start + 11ms);
    CHECK(settling.ask(steady_start + 11ms).has_value());
    CHECK(settling.store.take_calls() == question(1));
    CHECK(settling.open.due_at() == steady_start + 15ms);
  }

  TEST_CASE("L2: a lost lease and any other refusal is reported and nothing is guessed") {
    for (const ErrorCode code : {ErrorCode::lease_lost, ErrorCode::internal}) {
      Settling settling;
      settling.add(0);
      settling.add(1);
      settling.add(2);
      settling.store.answers.resolve.next(row_at(0, Outcome::completed));
      settling.store.answers.resolve.next(refused(code));
      const auto asked = settling.ask(steady_start);
      REQUIRE_FALSE(asked.has_value());
      CHECK(asked.error().code == code);
      CHECK(settling.store.take_calls() == question(0) + question(1));
      CHECK(settling.resolved == "7:0.0#1 completed 1\n");
      CHECK(settling.stated() == "7:0.1#1 7:0.2#1");
      settling.open.forget();
      CHECK(settling.open.empty());
      CHECK(settling.stated() == "");
    }
  }
}
