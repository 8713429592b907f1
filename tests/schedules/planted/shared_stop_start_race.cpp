// Against a copy of weir/registry/impl/shared_handles_core.hpp that makes a start ready though it was
// stopped.
#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/shared_handles_scenarios.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: stop against start") {
    weir::schedules::find(weir::shared::a_stop_ends_the_start_it_met,
                          "a stop did not stop what it met");
  }
}
