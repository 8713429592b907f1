// Against a copy of weir/mailbox.hpp that takes messages after it was closed.
#define BasicMailbox BasicMailboxThatSendsAfterClose  // another class than the real one
#include <doctest/doctest.h>

#include <weir/mailbox.hpp>

#include "schedules/mailbox_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: a message sent after the close") {
    weir::schedules::find(
        weir::schedules::what_was_taken_is_received_once_and_in_order<weir::BasicMailbox>,
        "a message was taken that nobody receives");
  }
}
