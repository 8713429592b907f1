// Against a copy of weir/supervisor/impl/lives.hpp that calls its observer under its lock.
#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/supervisor_scenarios.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: deadlock") {
    weir::schedules::find(weir::supervised::an_observer_takes_a_lock,
                          "deadlock: no task can continue");
  }
}
