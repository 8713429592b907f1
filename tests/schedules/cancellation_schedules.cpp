#include <doctest/doctest.h>

#include "schedules/cancellation_scenarios.hpp"
#include "schedules/schedules.hpp"

namespace weir {

TEST_SUITE("schedules: cancellation") {
  TEST_CASE("F4: a callback that has ended is not called and does not run") {
    schedules::survive(cancellations::a_callback_that_ended_is_not_called);
  }

  TEST_CASE("F4: a callback that lives is called once whoever comes first") {
    schedules::survive(cancellations::a_callback_that_lives_is_called_once);
  }

  TEST_CASE("F4: a callback may end itself") {
    schedules::survive(cancellations::a_callback_may_end_itself);
  }
}

}  // namespace weir
