// Against copies of step/deferred_call.hpp and worker/slot_book.hpp that make the one mistake that a
// test chooses.
namespace weir::deferred {

enum class Mistake {
  none,
  late_counts,
  counts_twice,
  pends_though_completed,
  callback_kept,
  callback_armed_late,
  callback_lost,
  place_kept,
  places_raced,
  place_free_early,
  over_is_forgotten,
  early_completion_forgotten,
  early_completion_finishes,
  end_of_pending_forgotten,
  end_of_returning_forgotten,
  close_forgets_pending,
  close_forgets_returning,
  slot_of_abandoned_kept,
  released_at_once,
};
inline Mistake mistake = Mistake::none;

}  // namespace weir::deferred

#include <doctest/doctest.h>

#include "schedules/deferred_scenarios.hpp"
#include "schedules/schedules.hpp"

namespace weir {
namespace {

using deferred::Mistake;

void find(Mistake planted, const std::function<void()>& scenario, std::string_view expected) {
  deferred::mistake = planted;
  schedules::find(scenario, expected);
  deferred::mistake = Mistake::none;
}

}  // namespace

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: a completion that counts though the attempt is over") {
    find(Mistake::late_counts, deferred::a_completion_meets_its_timeout,
         "a completion was accepted after its attempt was over");
  }

  TEST_CASE("planted: a second completion that counts") {
    find(Mistake::counts_twice, deferred::two_complete_at_once,
         "not one of two completions was accepted");
  }

  TEST_CASE("planted: a handler that pends though its call is completed") {
    find(Mistake::pends_though_completed, deferred::a_completion_meets_the_return, "steps");
  }

  TEST_CASE("planted: a completion that does not wait for the callback") {
    find(Mistake::callback_kept, deferred::a_completion_meets_the_stop, "it is told after its end");
  }

  TEST_CASE("planted: a callback that is registered after its call was completed") {
    find(Mistake::callback_armed_late, deferred::a_callback_meets_the_completion,
         "it is told after its end");
  }

  TEST_CASE("planted: a callback that is not told as another one has its place") {
    find(Mistake::callback_lost, deferred::a_stop_meets_the_next_callback,
         "the callback that was there was not told");
  }

  TEST_CASE("planted: a place that late completions do not give back") {
    find(Mistake::place_kept, deferred::no_more_calls_are_deferred_than_may_be,
         "a place is taken for ever");
  }

  TEST_CASE("planted: a place that two calls find free") {
    find(Mistake::places_raced, deferred::no_more_calls_are_deferred_than_may_be,
         "more calls are deferred than may be");
  }

  TEST_CASE("planted: a place that is free before its call is forgotten") {
    find(Mistake::place_free_early, deferred::no_more_calls_are_deferred_than_may_be,
         "more calls are deferred than may be");
  }

  TEST_CASE("planted: a call that is forgotten as its attempt is over") {
    find(Mistake::over_is_forgotten, deferred::the_code_stays_until_its_call_is_completed,
         "a pending call and its code are forgotten");
  }

  TEST_CASE("planted: slots that forget what was completed before the handler returned") {
    find(Mistake::early_completion_forgotten, deferred::a_completion_meets_the_return, "steps");
  }

  TEST_CASE("planted: slots that finish what is completed and again as its handler returns") {
    find(Mistake::early_completion_finishes, deferred::a_completion_meets_the_return,
         "an attempt is finished twice");
  }

  TEST_CASE("planted: an abandonment that leaves a pending call as it is") {
    find(Mistake::end_of_pending_forgotten, deferred::a_completion_meets_its_timeout,
         "a completion was accepted after its attempt was over");
  }

  TEST_CASE("planted: an abandoned handler that returns with its call pending") {
    find(Mistake::end_of_returning_forgotten, deferred::a_handler_defers_though_it_was_abandoned,
         "what is over is pending");
  }

  TEST_CASE("planted: a close that leaves pending calls as they are") {
    find(Mistake::close_forgets_pending, deferred::a_completion_meets_the_close,
         "a completion was accepted after its attempt was over");
  }

  TEST_CASE("planted: a handler that returns with its call pending after the close") {
    find(Mistake::close_forgets_returning, deferred::a_handler_returns_after_the_close,
         "a call is pending after the close");
  }

  TEST_CASE("planted: an abandoned handler that keeps its slot") {
    find(Mistake::slot_of_abandoned_kept, deferred::an_abandoned_handler_loses_its_slot,
         "no task can continue");
  }

  TEST_CASE("planted: a completion that releases what its call had acquired") {
    find(Mistake::released_at_once, deferred::the_loop_releases_what_was_acquired,
         "a thread of the plugin releases a resource");
  }
}

}  // namespace weir
