/// Receives the events of runs on one session, and passes them to all listeners.
///
/// Threads: every member may be called from any thread. Listeners are called on one thread of its
/// own, which lives from the first listen() on and holds a session while there is a listener.
///
/// Invariants:
/// - A listener is in subscribers_ from listen() until its Listening ends.
/// - A listener is called with its Subscriber's mutex held, so ending its Listening waits for the
///   call, except when it is ended inside the call.
/// - mutex_ is never held during a call of a listener or a request to the database.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weir/client/run_event.hpp>

#include "base/error.hpp"
#include "store/postgres/event_feed.hpp"
#include "store/postgres/wakeup_event.hpp"

namespace weir {

/// The events in a notification. Errors: invalid_input, kind "bad_event".
Result<std::vector<RunEvent>> read_events(const std::string& payload);

class EventSource : public std::enable_shared_from_this<EventSource> {
 public:
  using Open = std::function<Result<std::unique_ptr<postgres::EventFeed>>()>;

  explicit EventSource(Open open) : open_(std::move(open)) {}
  ~EventSource() { stop(); }
  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;

  /// Returns once the session listens. Errors: as `open`.
  Result<Listening> listen(Listener listener, EventsOf which);

  /// After this no listener is called any more. Must not be called inside a call of a listener.
  void stop();

 private:
  friend class Listening::Subscription;
  struct Subscriber;

  void run();
  Result<void> receive(std::unique_lock<std::mutex>& lock);
  void deliver(const std::vector<std::shared_ptr<Subscriber>>& subscribers,
               const std::string& payload);
  void unsubscribe(const std::shared_ptr<Subscriber>& subscriber);

  const Open open_;
  std::mutex mutex_;
  std::condition_variable changed_;  // a listener was added or admitted, or stopping
  // Guarded by mutex_, and so are the members below.
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  bool stopping_ = false;
  std::optional<postgres::WakeupEvent> wakeup_;  // exists if thread_ does: ends its wait for events
  std::optional<std::thread> thread_;
  std::unique_ptr<postgres::EventFeed> feed_;  // used only by the thread
};

}  // namespace weir
