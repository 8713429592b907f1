// Against a copy of weir/mailbox.hpp whose close wakes one of those who wait.
#define BasicMailbox BasicMailboxThatWakesOne  // another class than the real one
#include <doctest/doctest.h>

#include <weir/mailbox.hpp>

#include "schedules/mailbox_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: a close that wakes one of two") {
    weir::schedules::find(weir::schedules::a_close_wakes_all_who_wait<weir::BasicMailbox>,
                          "no task can continue");
  }
}
