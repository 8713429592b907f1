/// A child that works on the messages of a mailbox: Elixir's GenServer, as far as it is a loop.
///
/// Threads: the body runs on a thread of its own; the supervising thread closes its mailbox.
///
/// Invariant: each life of the child has a mailbox of its own; its address sends nothing once the
/// body has returned.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <weir/mailbox.hpp>
#include <weir/supervisor/thread_child.hpp>

namespace weir {

/// Runs a body with a mailbox on a thread. It is asked to stop by closing the mailbox, so the body
/// ends when it has received what waited.
template <class Message, class Sync = StdSync>
class BasicMailboxChild final : public Child {
 public:
  using Inbox = BasicMailbox<Message, Sync>;
  using Body = std::function<Result<void>(Inbox&)>;

  /// Throws what the thread's constructor throws.
  BasicMailboxChild(ChildEnd end, Body body, std::size_t capacity)
      : BasicMailboxChild(std::move(end), std::move(body), std::make_shared<Inbox>(capacity)) {}

  /// Where to send to it, as found by Supervisor::whereis or resolve.  [any thread]
  typename Inbox::Address address() const { return address_; }

  void stop() override {
    if (const std::shared_ptr<Inbox> open = inbox_.lock()) open->close();
  }
  void collect() override { thread_.collect(); }
  void abandon() override { thread_.abandon(); }

 private:
  BasicMailboxChild(ChildEnd end, Body body, std::shared_ptr<Inbox> inbox)
      : address_(inbox->address()),
        inbox_(inbox),
        thread_(std::move(end),
                [body = std::move(body),
                 inbox = std::move(inbox)](const BasicStopSignal<Sync>&) mutable -> Result<void> {
                  const std::shared_ptr<Inbox> mine = std::move(inbox);  // gone with this life
                  return body(*mine);
                }) {}

  const typename Inbox::Address address_;
  const std::weak_ptr<Inbox> inbox_;  // the body's own
  BasicThreadChild<Sync> thread_;     // last: it works as soon as it exists
};

/// A child that runs `body(inbox)`, which returns nothing or a Result<void>, on a thread.
///
///     mailbox_child<Order>("orders", [&](Mailbox<Order>& inbox) {
///       while (const std::optional<Order> order = inbox.receive()) take(*order);
///     })
template <class Message, class Sync, class Body>
ChildSpec basic_mailbox_child(std::string id, Body body,
                              std::size_t capacity = BasicMailbox<Message, Sync>::unlimited) {
  ChildSpec spec{};
  spec.id = std::move(id);
  spec.start = [body = std::move(body), capacity](ChildEnd end) -> Result<std::shared_ptr<Child>> {
    return std::make_shared<BasicMailboxChild<Message, Sync>>(
        std::move(end),
        [body](BasicMailbox<Message, Sync>& inbox) mutable -> Result<void> {
          if constexpr (std::is_void_v<decltype(body(inbox))>) {
            body(inbox);
            return {};
          } else {
            return body(inbox);
          }
        },
        capacity);
  };
  return spec;
}

template <class Message, class Body>
ChildSpec mailbox_child(std::string id, Body body,
                        std::size_t capacity = Mailbox<Message>::unlimited) {
  return basic_mailbox_child<Message, StdSync>(std::move(id), std::move(body), capacity);
}

template <class Message>
using MailboxChild = BasicMailboxChild<Message>;

}  // namespace weir
