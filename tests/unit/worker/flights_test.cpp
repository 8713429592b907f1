#include "worker/flights.hpp"

#include <string_view>

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

using Tickets = std::vector<std::uint64_t>;

std::shared_ptr<Attempt> attempt_of(std::uint64_t ticket, RunKey run = 7,
                                    std::chrono::milliseconds timeout = 10s) {
  auto attempt = std::make_shared<Attempt>();
  attempt->ticket = ticket;
  attempt->run = run;
  attempt->task = {.step = 0, .index = static_cast<std::size_t>(ticket)};
  attempt->options.timeout = timeout;
  attempt->chosen = steady_start;
  return attempt;
}

Tickets tickets_of(const std::vector<Flights::Flight>& flights) {
  Tickets tickets;
  for (const Flights::Flight& flight : flights) tickets.push_back(flight.attempt->ticket);
  return tickets;
}

}  // namespace

TEST_SUITE("worker: flights") {
  TEST_CASE("an attempt is taken once") {
    EndingFlights ending;
    Flights flights(ending);
    flights.add(attempt_of(1));
    flights.add(attempt_of(2));
    CHECK(flights.size() == 2);
    CHECK_FALSE(flights.take(3).has_value());
    const auto taken = flights.take(1);
    REQUIRE(taken.has_value());
    CHECK(taken->attempt->ticket == 1);
    CHECK_FALSE(taken->attempt->stop.cancelled());
    CHECK_FALSE(taken->timed_out);
    CHECK_FALSE(flights.take(1).has_value());
    CHECK(flights.size() == 1);
  }

  TEST_CASE("F4: the time of an attempt begins with its handler and not while it awaits a slot") {
    EndingFlights ending;
    Flights flights(ending);
    const auto attempt = attempt_of(1);
    flights.add(attempt);
    CHECK(flights.enforce(steady_start + 1h).empty());
    CHECK_FALSE(attempt->stop.cancelled());
    FakeSlots::begin(*attempt, steady_start + 1h);
    CHECK(flights.enforce(steady_start + 1h + 10s - 1ns).empty());
    CHECK_FALSE(attempt->stop.cancelled());
    CHECK(flights.enforce(steady_start + 1h + 10s).empty());
    CHECK(attempt->stop.cancelled());
    CHECK(flights.take(1)->timed_out);
  }

  TEST_CASE(
      "F4: an attempt has a second to end after its stop token fired whenever that was seen") {
    EndingFlights ending;
    Flights flights(ending);
    const auto attempt = attempt_of(1);
    FakeSlots::begin(*attempt, steady_start);
    flights.add(attempt);
    CHECK(flights.enforce(steady_start + 30s).empty());  // the loop was late
    CHECK(flights.enforce(steady_start + 31s - 1ns).empty());
    CHECK(flights.enforce(steady_start + 31s) == Tickets{1});
    CHECK(flights.enforce(steady_start + 32s) == Tickets{1});
    CHECK(flights.size() == 1);
    static_cast<void>(flights.take(1));
    CHECK(flights.enforce(steady_start + 33s).empty());
  }

  TEST_CASE("F4: each attempt has the timeout of its own step") {
    EndingFlights ending;
    Flights flights(ending);
    const auto quick = attempt_of(1, 7, 1s);
    const auto slow = attempt_of(2, 7, 5s);
    for (const auto& attempt : {quick, slow}) {
      FakeSlots::begin(*attempt, steady_start);
      flights.add(attempt);
    }
    CHECK(flights.enforce(steady_start + 1s).empty());
    CHECK(quick->stop.cancelled());
    CHECK_FALSE(slow->stop.cancelled());
    CHECK(flights.enforce(steady_start + 5s) == Tickets{1});
    CHECK(slow->stop.cancelled());
  }

  TEST_CASE("A5: a deferred call has the same limits as a handler and is taken with its run") {
    EndingFlights ending;
    Flights flights(ending);
    std::vector<std::shared_ptr<Attempt>> all;
    for (std::uint64_t ticket = 1; ticket <= 4; ++ticket) {
      all.push_back(attempt_of(ticket, ticket < 3 ? 7 : 8, ticket == 2 ? 1s : 10s));
      FakeSlots::begin(*all.back(), steady_start);
      if (ticket == 4) all.back()->share = 5;  // it is not of run 8
      flights.add(all.back());
    }
    CHECK(flights.on_slots() == 4);
    const auto defer = [&] {
      Tickets deferred;
      flights.note_deferred([&](Attempt& attempt) { deferred.push_back(attempt.ticket); });
      return deferred;
    };
    CHECK(defer().empty());
    for (const std::size_t i : {0U, 1U, 2U})
      all[i]->deferred.store((steady_start + 1ms).time_since_epoch().count());
    CHECK(defer() == Tickets{1, 2, 3});
    CHECK(defer().empty());
    CHECK(flights.on_slots() == 1);
    CHECK(flights.size() == 4);
    CHECK(flights.stated().size() == 4);
    CHECK(flights.next_limit(steady_start) == steady_start + 1s);
    CHECK(flights.enforce(steady_start + 1s).empty());
    CHECK(all[1]->stop.cancelled());
    CHECK(flights.next_limit(steady_start + 1s) == steady_start + 2s);
    CHECK(flights.enforce(steady_start + 2s) == Tickets{2});
    CHECK(flights.take(2)->timed_out);
    CHECK(flights.next_limit(steady_start + 2s) == steady_start + 10s);
    flights.stop_if(7, [](TaskId) { return true; }, steady_start + 3s);
    CHECK(all[0]->stop.cancelled());
    CHECK_FALSE(all[2]->stop.cancelled());
    CHECK(flights.enforce(steady_start + 4s) == Tickets{1});
    CHECK(tickets_of(flights.take_run(7, steady_start + 4s)) == Tickets{1});
    CHECK(tickets_of(flights.take_run(8, steady_start + 4s)) == Tickets{3});
    CHECK(flights.size() == 1);
    CHECK(flights.next_limit(steady_start + 4s) == steady_start + 10s);
    flights.forget(steady_start + 4s);
    CHECK(flights.size() == 0);
    CHECK(flights.on_slots() == 0);
    CHECK_FALSE(flights.next_limit(steady_start + 4s).has_value());
  }

  TEST_CASE("the next limit is the earliest timeout or end of a grace period") {
    EndingFlights ending;
    Flights flights(ending);
    CHECK_FALSE(flights.next_limit(steady_start).has_value());
    const auto attempt = attempt_of(1);
    flights.add(attempt);
    CHECK(flights.next_limit(steady_start) ==
          steady_start + 10s);  // if its handler had begun at once
    FakeSlots::begin(*attempt, steady_start + 2s);
    CHECK(flights.next_limit(steady_start) == steady_start + 12s);
    const auto sooner = attempt_of(2, 7, 1s);
    FakeSlots::begin(*sooner, steady_start);
    flights.add(sooner);
    CHECK(flights.next_limit(steady_start) == steady_start + 1s);
    CHECK(flights.enforce(steady_start + 3s).empty());
    CHECK(flights.next_limit(steady_start) == steady_start + 4s);
    static_cast<void>(flights.take(2));
    CHECK(flights.next_limit(steady_start) == steady_start + 12s);
  }

  TEST_CASE("the limit of an attempt that waits for a slot is never in the past") {
    EndingFlights ending;
    Flights flights(ending);
    flights.add(attempt_of(1));
    const Steady later = steady_start + 30s;
    CHECK(flights.enforce(later).empty());
    CHECK(flights.next_limit(later) == later + 10s);
  }

  TEST_CASE("L7: an attempt of a share is none of the run's though the worker owns the run too") {
    EndingFlights ending;
    Flights flights(ending);
    const auto own = attempt_of(1), shared = attempt_of(2);
    shared->share = 3;
    flights.add(own);
    flights.add(shared);
    flights.stop_if(7, [](TaskId) { return true; }, steady_start);
    CHECK(own->stop.cancelled());
    CHECK_FALSE(shared->stop.cancelled());
    CHECK(flights.take_run(7, steady_start).size() == 1);
    CHECK_FALSE(shared->stop.cancelled());
    CHECK(flights.take_share(3, steady_start).size() == 1);
  }

  TEST_CASE("all attempts of one run are stopped and taken and no others") {
    EndingFlights ending;
    Flights flights(ending);
    std::vector<std::shared_ptr<Attempt>> all;
    for (std::uint64_t ticket = 1; ticket <= 4; ++ticket)
      flights.add(all.emplace_back(attempt_of(ticket, ticket % 2 == 0 ? 7 : 8)));
    CHECK(tickets_of(flights.take_run(7, steady_start)) == Tickets{2, 4});
    CHECK(flights.take_run(7, steady_start).empty());
    for (const auto& attempt : all) CHECK(attempt->stop.cancelled() == (attempt->run == 7));
    CHECK(text_of(flights.stated()) == "8:0.1#1 8:0.3#1");
  }

  TEST_CASE("L7: all attempts of one share are stopped and taken and no others") {
    EndingFlights ending;
    Flights flights(ending);
    std::vector<std::shared_ptr<Attempt>> all;
    for (std::uint64_t ticket = 1; ticket <= 3; ++ticket) {
      all.push_back(attempt_of(ticket));
      all.back()->share = static_cast<ShareId>(ticket - 1);
      flights.add(all.back());
    }
    CHECK(tickets_of(flights.take_share(2, steady_start)) == Tickets{3});
    for (const auto& attempt : all) CHECK(attempt->stop.cancelled() == (attempt->share == 2));
    CHECK(flights.size() == 2);
  }

  TEST_CASE("F5: what is not needed any more of a run is stopped and stays in flight") {
    EndingFlights ending;
    Flights flights(ending);
    const auto needed = attempt_of(1), unneeded = attempt_of(2), of_another_run = attempt_of(3, 8);
    for (const auto& attempt : {needed, unneeded, of_another_run}) flights.add(attempt);
    flights.stop_if(7, [](TaskId task) { return task.index >= 2; }, steady_start);
    CHECK_FALSE(needed->stop.cancelled());
    CHECK(unneeded->stop.cancelled());
    CHECK_FALSE(of_another_run->stop.cancelled());
    CHECK(flights.size() == 3);
    CHECK_FALSE(flights.take(2)->timed_out);
  }

  TEST_CASE("forgotten attempts are stopped and cannot be taken") {
    EndingFlights ending;
    Flights flights(ending);
    const auto attempt = attempt_of(1);
    flights.add(attempt);
    flights.forget(steady_start);
    CHECK(attempt->stop.cancelled());
    CHECK(flights.size() == 0);
    CHECK_FALSE(flights.take(1).has_value());
    CHECK(flights.stated().empty());
  }

  TEST_CASE("F1: each attempt is stated with its run, task, number and plugin") {
    EndingFlights ending;
    Flights flights(ending);
    const auto attempt = attempt_of(5, 9);
    attempt->number = 3;
    attempt->plugin = 4;
    flights.add(attempt);
    const auto stated = flights.stated();
    REQUIRE(stated.size() == 1);
    CHECK(text_of(stated) == "9:0.5#3");
    CHECK(stated[0].plugin == 4);
  }

  TEST_CASE("F4: what was taken or forgotten has a second to end before it is abandoned once") {
    for (const char* how : {"run", "share", "all"}) {
      CAPTURE(how);
      EndingFlights ending;
      Flights flights(ending);
      const auto attempt = attempt_of(1);
      if (how == std::string_view("share")) attempt->share = 3;
      FakeSlots::begin(*attempt, steady_start);
      flights.add(attempt);
      const Steady stopped = steady_start + 2s;
      if (how == std::string_view("run")) CHECK(flights.take_run(7, stopped).size() == 1);
      if (how == std::string_view("share")) CHECK(flights.take_share(3, stopped).size() == 1);
      if (how == std::string_view("all")) flights.forget(stopped);
      CHECK(attempt->stop.cancelled());
      CHECK(ending.next_limit(stopped) == stopped + stop_grace);
      CHECK(ending.take_overdue(stopped + stop_grace - 1ns).empty());
      CHECK(ending.take_overdue(stopped + stop_grace) == std::vector{attempt});
      CHECK(ending.take_overdue(stopped + stop_grace).empty());
      CHECK_FALSE(ending.next_limit(stopped).has_value());
    }
  }

  TEST_CASE("F4: an attempt that was taken before it began has its second from when it begins") {
    EndingFlights ending;
    Flights flights(ending);
    const auto attempt = attempt_of(1);
    flights.add(attempt);
    CHECK(flights.take_run(7, steady_start).size() == 1);
    CHECK(ending.take_overdue(steady_start + 1h).empty());
    CHECK(ending.next_limit(steady_start + 1h) == steady_start + 1h + stop_grace);
    FakeSlots::begin(*attempt, steady_start + 1h);  // just before it could see its stop token
    CHECK(ending.take_overdue(steady_start + 1h + stop_grace - 1ns).empty());
    CHECK(ending.take_overdue(steady_start + 1h + stop_grace).size() == 1);
  }

  TEST_CASE("F4: an attempt whose handler returned in time is not abandoned") {
    EndingFlights ending;
    Flights flights(ending);
    const auto attempt = attempt_of(1);
    FakeSlots::begin(*attempt, steady_start);
    flights.add(attempt);
    CHECK(flights.take_run(7, steady_start).size() == 1);
    ending.note_returned(1);
    CHECK_FALSE(ending.next_limit(steady_start).has_value());
    CHECK(ending.take_overdue(steady_start + 1h).empty());
  }

  TEST_CASE("F4: what is not needed any more has a second to end and has not timed out") {
    EndingFlights ending;
    Flights flights(ending);
    const auto attempt = attempt_of(1);
    FakeSlots::begin(*attempt, steady_start);
    flights.add(attempt);
    const auto all = [](TaskId) { return true; };
    flights.stop_if(7, all, steady_start + 2s);
    flights.stop_if(7, all, steady_start + 2'500ms);  // the first time counts
    CHECK(flights.next_limit(steady_start) == steady_start + 3s);
    CHECK(flights.enforce(steady_start + 3s - 1ns).empty());
    CHECK(flights.enforce(steady_start + 3s) == Tickets{1});
    CHECK_FALSE(flights.take(1)->timed_out);
  }

  TEST_CASE("L9: it is known how many run for long and whether one has waited for long") {
    EndingFlights ending;
    Flights flights(ending);
    const auto first = attempt_of(1), second = attempt_of(2);
    flights.add(first);
    flights.add(second);
    CHECK(flights.begun_by(steady_start + 1h) == 0);
    CHECK(flights.any_waits_since(steady_start));
    CHECK_FALSE(flights.any_waits_since(steady_start - 1ns));
    FakeSlots::begin(*first, steady_start + 1s);
    CHECK(flights.begun_by(steady_start + 1s - 1ns) == 0);
    CHECK(flights.begun_by(steady_start + 1s) == 1);
    CHECK(flights.any_waits_since(steady_start));
    FakeSlots::begin(*second, steady_start + 1s);
    CHECK(flights.begun_by(steady_start + 1s) == 2);
    CHECK_FALSE(flights.any_waits_since(steady_start + 1h));
  }
}
