// Against a copy of weir/registry/impl/shared_handles_core.hpp that lets go of its lock between looking
// for a start and making one.
#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/shared_handles_scenarios.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: double start") {
    weir::schedules::find(weir::shared::callers_share_one_start, "two starts of one key");
  }
}
