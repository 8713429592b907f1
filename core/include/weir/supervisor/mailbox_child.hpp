/// A child that works on the messages of a mailbox: Elixir's GenServer, as far as it is a loop.
///
/// Threads: the body runs on a thread of its own; its mailbox is closed by the supervising thread.
///
/// Invariant: each life of the child has a mailbox of its own, whose address sends nothing once that
/// life has ended.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <weir/mailbox.hpp>
#include <weir/supervisor/thread_child.hpp>

namespace weir {

/// A child that runs `body(inbox)` on a thread; it is asked to stop by closing the mailbox, so that it
/// ends when it has received what waited. The body returns nothing or a Result<void>. For others to
/// find it, the body registers `inbox.address()`.
///
///     mailbox_child<Order>("orders", [&](Mailbox<Order>& inbox) {
///       while (const std::optional<Order> order = inbox.receive()) take(*order);
///     })
template <class Message, class Sync, class Body>
ChildSpec basic_mailbox_child(std::string id, Body body,
                              std::size_t capacity = BasicMailbox<Message, Sync>::unlimited) {
  using Inbox = BasicMailbox<Message, Sync>;
  ChildSpec spec{};
  spec.id = std::move(id);
  spec.start = [body = std::move(body), capacity](ChildEnd end) -> Result<std::shared_ptr<Child>> {
    auto inbox = std::make_shared<Inbox>(capacity);
    std::weak_ptr<Inbox> closes(inbox);
    return std::make_shared<BasicThreadChild<Sync>>(
        std::move(end),
        [body, inbox = std::move(inbox)](const BasicStopSignal<Sync>&) mutable -> Result<void> {
          const std::shared_ptr<Inbox> mine = std::move(inbox);
          if constexpr (std::is_void_v<decltype(body(*mine))>) {
            body(*mine);
            return {};
          } else {
            return body(*mine);
          }
        },
        [closes = std::move(closes)] {
          if (const std::shared_ptr<Inbox> open = closes.lock()) open->close();
        });
  };
  return spec;
}

template <class Message, class Body>
ChildSpec mailbox_child(std::string id, Body body,
                        std::size_t capacity = Mailbox<Message>::unlimited) {
  return basic_mailbox_child<Message, StdSync>(std::move(id), std::move(body), capacity);
}

}  // namespace weir
