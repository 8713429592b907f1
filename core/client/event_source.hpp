/// Hears what happens to runs on one session, and tells all who listen.
///
/// Threads: every member may be called from any thread. Listeners are called on one thread of its
/// own, which lives from the first listen() on and holds a session while anybody listens.
///
/// Invariants:
/// - Who listens stands in places_, from listen() until the Listening ends.
/// - A place is called with its own mutex held: who ends it waits for the call, but inside a call.
/// - mutex_ is never held while a listener is called or the database is asked.
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
#include "store/postgres/doorbell.hpp"
#include "store/postgres/event_feed.hpp"

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

  /// Nobody is told anything any more. Not inside a call of a listener.
  void stop();

 private:
  friend class Listening::Place;
  struct Ear;

  void run();
  Result<void> hear(std::unique_lock<std::mutex>& lock);
  void tell(const std::vector<std::shared_ptr<Ear>>& ears, const std::string& payload);
  void leave(const std::shared_ptr<Ear>& ear);

  const Open open_;
  std::mutex mutex_;
  std::condition_variable changed_;         // somebody came or was admitted, or all ends
  std::vector<std::shared_ptr<Ear>> ears_;  // guarded by mutex_, as what follows
  bool stopping_ = false;
  std::optional<postgres::Doorbell> bell_;  // there once thread_ is: ends its wait for events
  std::optional<std::thread> thread_;
  std::unique_ptr<postgres::EventFeed> feed_;  // the thread's
};

}  // namespace weir
