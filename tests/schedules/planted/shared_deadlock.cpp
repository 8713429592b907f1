// Against a copy of weir/registry/impl/shared_handles_core.hpp that sees a cycle of waits only when it
// is short.
#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/shared_handles_scenarios.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: deadlock of shared handles") {
    weir::schedules::find(weir::shared::a_cycle_is_refused, "deadlock: no task can continue");
  }
}
