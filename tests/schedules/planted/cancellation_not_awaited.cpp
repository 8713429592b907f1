// Against a copy of weir/registry/cancellation.hpp whose callbacks end while they are called.
#include <doctest/doctest.h>

#include "schedules/cancellation_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: a callback that ends while it is called") {
    weir::schedules::find(weir::cancellations::a_callback_that_ended_is_not_called,
                          "it runs after its end");
  }
}
