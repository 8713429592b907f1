/// A queue of messages for a thread: others send to its address, it receives them in order. What
/// KeyedRegistry's `dispatch` reaches in a publish and subscribe, and what a child of a supervisor
/// works on.
///
/// Threads: every member may be called from any thread; an address may outlive its mailbox.
///
/// Invariants:
/// - A message whose send returned true is received by exactly one call of receive, unless the
///   mailbox is destroyed first. Messages of one sender are received in the order of its sends.
/// - No message is taken after close(): so what receive gives nothing after is complete.
/// - Copies of an address are of the same mailbox; after its end they send nothing and keep nothing
///   of it but a few bytes.
#pragma once
#include <algorithm>
#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <weir/sync.hpp>

namespace weir {

/// The receiving end: it belongs to who receives, and closes when it is destroyed.
///
///     Mailbox<std::string> inbox;
///     std::thread sender([to = inbox.address()] { to.send("hello"); });
///     while (std::optional<std::string> message = inbox.receive()) …;
///
/// Cost: a send or a receive is one lock, and a notification when somebody may wait.
template <class Message, class Sync = StdSync>
class BasicMailbox {
 public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  class Address;

  /// `capacity`: how many messages may wait; more are refused. At least one.
  explicit BasicMailbox(std::size_t capacity = unlimited)
      : shared_(std::make_shared<Shared>(std::max<std::size_t>(capacity, 1))) {}

  /// As close(); what waits is destroyed. No other call may be under way.
  ~BasicMailbox() {
    close();
    drop();
  }
  BasicMailbox(const BasicMailbox&) = delete;
  BasicMailbox& operator=(const BasicMailbox&) = delete;

  Address address() const { return Address(shared_); }

  /// The next message. Waits for it; nothing once the mailbox is closed and all were received.
  std::optional<Message> receive() {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [this] { return !shared_->waiting.empty() || shared_->closed; });
    return take();
  }

  /// As receive(), but nothing also when the time is over: closed() tells which.
  template <class Duration>
  std::optional<Message> receive_for(Duration time) {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, time,
                              [this] { return !shared_->waiting.empty() || shared_->closed; });
    return take();
  }

  /// The next message if one waits.
  std::optional<Message> try_receive() {
    const std::scoped_lock lock(shared_->mutex);
    return take();
  }

  /// Takes no more messages and wakes who waits for one. May be called again.
  void close() {
    {
      const std::scoped_lock lock(shared_->mutex);
      shared_->closed = true;
    }
    shared_->changed.notify_all();
  }

  bool closed() const {
    const std::scoped_lock lock(shared_->mutex);
    return shared_->closed;
  }

  /// How many messages wait.
  std::size_t size() const {
    const std::scoped_lock lock(shared_->mutex);
    return shared_->waiting.size();
  }

 private:
  struct Shared {
    explicit Shared(std::size_t most) : capacity(most) {}

    const std::size_t capacity;
    typename Sync::Mutex mutex;  // guards what follows
    typename Sync::Condition changed;
    std::deque<Message> waiting;
    bool closed = false;
  };

  std::optional<Message> take() {
    if (shared_->waiting.empty()) return std::nullopt;
    std::optional<Message> message(std::move(shared_->waiting.front()));
    shared_->waiting.pop_front();
    return message;
  }
  // Their destructors may send to this mailbox: not under the lock.
  void drop() {
    std::deque<Message> dropped;
    const std::scoped_lock lock(shared_->mutex);
    dropped.swap(shared_->waiting);
  }

  std::shared_ptr<Shared> shared_;
};

/// Where to send to. Copies are cheap.
template <class Message, class Sync>
class BasicMailbox<Message, Sync>::Address {
 public:
  /// Puts the message at the end and returns at once. False, and the message is dropped: the mailbox
  /// is full, closed or gone.
  bool send(Message message) const {
    {
      const std::scoped_lock lock(shared_->mutex);
      if (shared_->closed || shared_->waiting.size() >= shared_->capacity) return false;
      shared_->waiting.push_back(std::move(message));
    }
    shared_->changed.notify_one();
    return true;
  }

  friend bool operator==(const Address&, const Address&) = default;  // of the same mailbox

 private:
  friend BasicMailbox;
  explicit Address(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
};

template <class Message>
using Mailbox = BasicMailbox<Message>;

}  // namespace weir
