// Against a copy of weir/registry/cancellation.hpp whose callbacks look before they register.
#include <doctest/doctest.h>

#include "schedules/cancellation_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: a callback that looks before it registers") {
    weir::schedules::find(weir::cancellations::a_callback_that_lives_is_called_once,
                          "one of two was not called once");
  }
}
