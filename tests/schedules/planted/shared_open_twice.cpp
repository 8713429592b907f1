// Against a copy of weir/registry/impl/shared_handles_core.hpp that frees the key of a stopped handle
// while the handle is in use, or still ends.
#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/shared_handles_scenarios.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: open twice") {
    weir::schedules::find(weir::shared::a_stopped_handle_ends_before_the_next_start,
                          "two are open at once");
  }
}
