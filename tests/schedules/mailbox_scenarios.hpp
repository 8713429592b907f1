#pragma once
#include <optional>
#include <utility>
#include <vector>

#include <weir/mailbox.hpp>
#include <weir/testing/lockstep.hpp>

/// What a mailbox is put through under lockstep, and the planted copies of it too.
namespace weir::schedules {

using lockstep::require;
using lockstep::Sync;

// Messages are (sender, number), and the mailbox closes at any moment.
template <template <class, class> class Box>
void what_was_taken_is_received_once_and_in_order() {
  using Message = std::pair<int, int>;
  Box<Message, Sync> inbox;
  std::vector<std::vector<int>> sent(2), received(2);
  const auto sends = [&, to = inbox.address()](int sender) {
    for (int number = 0; number < 2; ++number)
      if (to.send({sender, number})) sent[static_cast<std::size_t>(sender)].push_back(number);
  };
  Sync::Thread a([&] { sends(0); });
  Sync::Thread b([&] { sends(1); });
  Sync::Thread receives([&] {
    while (const std::optional<Message> got = inbox.receive())
      received[static_cast<std::size_t>(got->first)].push_back(got->second);
  });
  inbox.close();
  a.join();
  b.join();
  receives.join();
  require(!inbox.try_receive(), "a message was taken that nobody receives");
  require(sent == received, "what was received is not what was taken");
}

template <template <class, class> class Box>
void a_close_wakes_all_who_wait() {
  Box<int, Sync> inbox;
  Sync::Thread a([&] { require(!inbox.receive(), "a message out of nothing"); });
  Sync::Thread b([&] { require(!inbox.receive(), "a message out of nothing"); });
  inbox.close();
  a.join();
  b.join();
}

}  // namespace weir::schedules
