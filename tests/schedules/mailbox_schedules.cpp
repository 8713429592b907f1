#include <memory>
#include <optional>
#include <utility>

#include <doctest/doctest.h>

#include <weir/supervisor.hpp>
#include <weir/supervisor/mailbox_child.hpp>

#include "schedules/mailbox_scenarios.hpp"
#include "schedules/schedules.hpp"

namespace weir::schedules {

TEST_SUITE("schedules: mailbox") {
  TEST_CASE("mailbox: what was taken is received once and in order") {
    survive(what_was_taken_is_received_once_and_in_order<BasicMailbox>);
  }

  TEST_CASE("mailbox: a close wakes all who wait") {
    survive(a_close_wakes_all_who_wait<BasicMailbox>);
  }

  TEST_CASE("mailbox: two receivers share the messages and none is left while one waits") {
    survive([] {
      BasicMailbox<int, Sync> inbox;
      int received = 0;
      const auto receives = [&] {
        while (inbox.receive()) ++received;
      };
      Sync::Thread a(receives);
      Sync::Thread b(receives);
      require(inbox.address().send(1) && inbox.address().send(2), "an open mailbox refused");
      inbox.close();
      a.join();
      b.join();
      require(received == 2, "a message was lost");
    });
  }

  TEST_CASE("mailbox: a full one refuses and takes again what was made room for") {
    survive([] {
      BasicMailbox<int, Sync> inbox(1);
      int taken = 0;
      Sync::Thread sends([&, to = inbox.address()] {
        for (int i = 0; i < 3; ++i) taken += to.send(i) ? 1 : 0;
        inbox.close();
      });
      int received = 0;
      while (inbox.receive()) ++received;
      sends.join();
      require(received == taken && taken >= 1, "what was taken was not received");
    });
  }

  TEST_CASE("mailbox: an address that outlives its mailbox sends nothing") {
    survive([] {
      auto inbox = std::make_unique<BasicMailbox<std::shared_ptr<int>, Sync>>();
      const std::shared_ptr<int> message = std::make_shared<int>(7);
      Sync::Thread sends([&, to = inbox->address()] { (void)to.send(message); });
      inbox.reset();
      sends.join();
      require(message.use_count() == 1, "a message is kept after its mailbox");
    });
  }

  TEST_CASE("mailbox: a child that is stopped receives what waited and ends") {
    survive([] {
      int received = 0;
      bool sent = false;
      std::optional<BasicMailbox<int, Sync>::Address> address;
      ChildSpec child =
          basic_mailbox_child<int, Sync>("inbox", [&](BasicMailbox<int, Sync>& inbox) {
            sent = inbox.address().send(1);
            address = inbox.address();
            while (inbox.receive()) ++received;
          });
      child.shutdown = Shutdown::forever();  // else it may be abandoned, and go on
      auto supervisor = BasicSupervisor<Sync>::start({}, {std::move(child)});
      require(supervisor.has_value(), "it did not start");
      require((*supervisor)->stop().has_value(), "it did not stop");
      require(received == (sent ? 1 : 0), "what waited was not received");
      require(address && !address->send(2), "a message was taken after the end");
    });
  }
}

}  // namespace weir::schedules
