#include "worker/exchange_schedule.hpp"

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

ExchangeReply reply_with(std::size_t claimed, std::size_t missed = 0) {
  ExchangeReply reply;
  reply.claimed.resize(claimed);
  reply.contended = missed;
  return reply;
}

// A worker with a lease of 15 s whose first exchange, at steady_start, found no runs.
ExchangeSchedule idle_schedule() {
  ExchangeSchedule schedule(15s);
  schedule.begin();
  schedule.answered(reply_with(0), 4, steady_start);
  return schedule;
}

}  // namespace

TEST_SUITE("worker: exchange schedule") {
  TEST_CASE("L1: a new worker exchanges at once and then after a third of its lease") {
    ExchangeSchedule schedule(15s);
    CHECK(schedule.is_due(steady_start, false, 0));
    schedule.answered(reply_with(0), 4, steady_start);
    CHECK_FALSE(schedule.is_due(steady_start + 5s - 1ns, false, 4));
    CHECK(schedule.is_due(steady_start + 5s, false, 0));
    CHECK(schedule.due_at(0, std::nullopt) == steady_start + 5s);
  }

  TEST_CASE("what is urgent is sent at once") {
    CHECK(idle_schedule().is_due(steady_start, true, 0));
    CHECK_FALSE(idle_schedule().is_due(steady_start, false, 4));
  }

  TEST_CASE("runs that may wait are claimed as soon as there is room for one") {
    ExchangeSchedule schedule = idle_schedule();
    CHECK_FALSE(schedule.may_have_runs());
    schedule.note_possible_runs();
    CHECK(schedule.may_have_runs());
    CHECK_FALSE(schedule.is_due(steady_start, false, 0));
    CHECK(schedule.is_due(steady_start, false, 1));
  }

  TEST_CASE("there may be more runs unless an exchange got fewer than it had asked for") {
    const auto more_after = [](std::size_t asked, const ExchangeReply& reply) {
      ExchangeSchedule schedule = idle_schedule();
      schedule.note_possible_runs();
      schedule.answered(reply, asked, steady_start);
      return schedule.may_have_runs();
    };
    CHECK(more_after(0, reply_with(0)));
    CHECK(more_after(3, reply_with(3)));
    CHECK(more_after(3, reply_with(1, 1)));
    CHECK_FALSE(more_after(3, reply_with(2)));
    CHECK_FALSE(more_after(1, reply_with(0)));
  }

  TEST_CASE("a notification is fetched by the next exchange and by that one alone") {
    ExchangeSchedule schedule = idle_schedule();
    schedule.note_notification();
    CHECK(schedule.is_due(steady_start, false, 0));
    schedule.begin();
    CHECK_FALSE(schedule.is_due(steady_start, false, 0));
    schedule.note_notification();
    schedule.answered(reply_with(0), 4, steady_start);  // it came while the exchange was under way
    CHECK(schedule.is_due(steady_start, false, 0));
  }

  TEST_CASE("L2: a lease that may be lost is tried at once") {
    ExchangeSchedule schedule = idle_schedule();
    schedule.confirm_lease(steady_start + 1s);
    CHECK(schedule.due_at(0, std::nullopt) == steady_start + 1s);
    CHECK(schedule.is_due(steady_start + 1s, false, 0));
    schedule.answered(reply_with(0), 4, steady_start + 1s);
    CHECK(schedule.due_at(0, std::nullopt) == steady_start + 6s);
  }

  TEST_CASE("the first fruitless scan is repeated soon and the later ones once a second") {
    ExchangeSchedule schedule = idle_schedule();
    CHECK(schedule.poll_at() == steady_start + 10ms);
    schedule.answered(reply_with(0), 4, steady_start + 10ms);
    CHECK(schedule.poll_at() == steady_start + 1'010ms);
    schedule.answered(reply_with(4), 4, steady_start + 20ms);
    CHECK(schedule.poll_at() == steady_start + 1'020ms);
    schedule.answered(reply_with(0), 4, steady_start + 30ms);
    CHECK(schedule.poll_at() == steady_start + 40ms);
  }

  TEST_CASE("a worker with room is due when it polls or the next run wakes and no other is") {
    ExchangeSchedule schedule = idle_schedule();
    CHECK(schedule.due_at(1, std::nullopt) == steady_start + 10ms);
    CHECK(schedule.due_at(1, steady_start + 3ms) == steady_start + 3ms);
    CHECK(schedule.due_at(0, steady_start + 3ms) == steady_start + 5s);
    schedule.answered(reply_with(0), 4, steady_start);
    CHECK(schedule.due_at(1, steady_start + 3s) == steady_start + 1s);
  }

  TEST_CASE("the next wake-up is what the last exchange said of it") {
    ExchangeSchedule schedule(15s);
    CHECK_FALSE(schedule.next_wake_at().has_value());
    ExchangeReply reply = reply_with(0);
    reply.next_wake_at = start + 7s;
    schedule.answered(reply, 4, steady_start);
    CHECK(schedule.next_wake_at() == start + 7s);
    schedule.answered(reply_with(0), 4, steady_start);
    CHECK_FALSE(schedule.next_wake_at().has_value());
  }

  TEST_CASE("L1: whatever is answered the next exchange begins well before the lease ends") {
    for (const auto lease : {3ms, 300ms, 15'000ms})
      for (const std::size_t claimed : {0U, 1U, 4U}) {
        ExchangeSchedule schedule(lease);
        schedule.answered(reply_with(claimed), 4, steady_start);
        CHECK(schedule.due_at(0, std::nullopt) <= steady_start + lease / 3);
        CHECK(schedule.due_at(4, steady_start + 1h) <= steady_start + lease / 3);
      }
  }
}
