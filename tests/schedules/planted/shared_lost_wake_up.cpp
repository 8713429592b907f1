// Against a copy of weir/registry/cancellation.hpp that wakes without the mutex of who waits.
#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/shared_handles_scenarios.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: lost wake-up") {
    weir::schedules::find(weir::shared::a_cancelled_wait_ends, "no task can continue");
  }
}
