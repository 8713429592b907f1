#include <doctest/doctest.h>

#include "schedules/primitives_scenarios.hpp"
#include "schedules/schedules.hpp"

namespace weir::primitives {

TEST_SUITE("schedules: primitives") {
  TEST_CASE("a wait in a loop passes no closed gate") {
    schedules::survive(nobody_passes_a_closed_gate<true>);
  }
  TEST_CASE("a weak exchange in a loop takes what is offered") {
    schedules::survive(what_is_offered_is_taken<true>);
  }
  TEST_CASE("yields in a loop await an answer") { schedules::survive(an_answer_is_awaited<true>); }
  TEST_CASE("of two that look for each other after a fence one sees the other") {
    schedules::survive(of_two_that_look_for_each_other_one_sees_the_other<true>);
  }
  TEST_CASE("what stands before a release fence is read by who acquires what stands behind it") {
    schedules::survive(who_is_told_of_a_page_reads_what_stands_on_it<true>);
  }
}

}  // namespace weir::primitives
