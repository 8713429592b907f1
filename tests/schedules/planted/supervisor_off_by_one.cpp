// Against a copy of weir/supervisor/restart_window.hpp that allows one restart too many.
#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/supervisor_scenarios.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: restart-limit off by one") {
    weir::schedules::find(weir::supervised::restarts_are_counted_to_the_border,
                          "it was restarted more often than is allowed");
  }
}
