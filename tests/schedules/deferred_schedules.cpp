#include <doctest/doctest.h>

#include "schedules/deferred_scenarios.hpp"
#include "schedules/schedules.hpp"

namespace weir {

TEST_SUITE("schedules: deferred") {
  TEST_CASE("A3: a completion and the return of the handler finish an attempt once") {
    schedules::survive(deferred::a_completion_meets_the_return);
  }

  TEST_CASE("A3: one of two completions at once is accepted") {
    schedules::survive(deferred::two_complete_at_once);
  }

  TEST_CASE("A3, F4: a completion that meets its timeout counts or is refused") {
    schedules::survive(deferred::a_completion_meets_its_timeout);
  }

  TEST_CASE("A3, F4: the call of an abandoned handler is over when it returns") {
    schedules::survive(deferred::a_handler_defers_though_it_was_abandoned);
  }

  TEST_CASE("A5: a completion that meets a lost lease counts or is refused") {
    schedules::survive(deferred::a_lost_lease_meets_the_completion);
  }

  TEST_CASE("A5: what is told to stop may complete its call while others do") {
    schedules::survive(deferred::a_completion_meets_the_stop);
  }

  TEST_CASE("A5: a callback is not told any more once another has its place") {
    schedules::survive(deferred::a_stop_meets_the_next_callback);
  }

  TEST_CASE("A5: a callback is not told any more once its call is completed") {
    schedules::survive(deferred::a_callback_meets_the_completion);
  }

  TEST_CASE("A5: a completion that meets the close of the slots counts or is refused") {
    schedules::survive(deferred::a_completion_meets_the_close);
  }

  TEST_CASE("A5: a call is over whose handler returns after the close of the slots") {
    schedules::survive(deferred::a_handler_returns_after_the_close);
  }

  TEST_CASE("A5: what a call has acquired is released by the loop alone") {
    schedules::survive(deferred::the_loop_releases_what_was_acquired);
  }

  TEST_CASE("A5: the code stays until its call is completed and is unloaded once") {
    schedules::survive(deferred::the_code_stays_until_its_call_is_completed);
  }

  TEST_CASE("A4: no more calls are deferred than may be and no place is lost") {
    schedules::survive(deferred::no_more_calls_are_deferred_than_may_be);
  }

  TEST_CASE("F4: an abandoned handler and the thread that has its slot finish each attempt once") {
    schedules::survive(deferred::an_abandoned_handler_loses_its_slot);
  }
}

}  // namespace weir
