#include <doctest/doctest.h>

#include "schedules/primitives_scenarios.hpp"
#include "schedules/schedules.hpp"

namespace weir::primitives {

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: a wait without a loop") {
    schedules::find(nobody_passes_a_closed_gate<false>, "passed a closed gate");
  }
  TEST_CASE("planted: a weak compare_exchange without a loop") {
    schedules::find(what_is_offered_is_taken<false>, "not taken");
  }
  TEST_CASE("planted: a yield taken for progress") {
    schedules::find(an_answer_is_awaited<false>, "no answer");
  }
  TEST_CASE("planted: a store and a load without a fence between them") {
    schedules::find(of_two_that_look_for_each_other_one_sees_the_other<false>,
                    "both believe to be alone", {.weak_memory = true});
  }
  TEST_CASE("planted: two stores without a fence between them") {
    schedules::find(who_is_told_of_a_page_reads_what_stands_on_it<false>, "the page is empty",
                    {.weak_memory = true});
  }
}

}  // namespace weir::primitives
