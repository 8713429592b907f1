// Against a copy of registry/pins.hpp that gives an object's counts to the next one when it is
// retired, and not when it has ended (ABA).
#include <doctest/doctest.h>

#include "schedules/flow_registry_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: ABA of a slot") {
    weir::schedules::find(weir::schedules::the_counts_of_a_flow_are_used_again, "a library ");
  }
}
