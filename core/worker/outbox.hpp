#pragma once
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <weir/client/run_event.hpp>

#include "run/event_name.hpp"
#include "store/worker_store.hpp"
#include "worker/owned_run.hpp"

namespace weir {

/// Collects the request of a worker's next exchange. Used only by the worker's loop.
///
/// Invariant: it is filled only between two exchanges; while one is repeated it does not change
/// (L6).
class Outbox {
 public:
  /// When more than this is collected, further results wait for the following exchange.
  static constexpr std::size_t bytes_max = 32 * 1024 * 1024;

  void settle(RunKey run, JournalRow row, std::optional<PluginId> plugin);
  void end(RunKey run, const RunEnd& end) { request_.ended.push_back({run, end}); }
  void release(RunKey run, std::optional<Time> wake_at) {
    request_.released.push_back({run, wake_at});
  }
  void acknowledge(RunKey run, int count) { request_.acknowledged.push_back({run, count}); }

  /// Publishes an event of a step, or of the run itself. Costs nothing while there is no listener.
  void publish(RunKey key, const OwnedRun& run, EventKind kind,
               std::optional<std::size_t> step = std::nullopt);

  /// Sets whether there are listeners for events: in this process, or through the database.
  void set_listeners(bool here, bool elsewhere) {
    listeners_here_ = here;
    listeners_elsewhere_ = elsewhere;
  }

  bool publishes_events() const noexcept { return listeners_here_ || listeners_elsewhere_; }

  bool is_full() const noexcept { return bytes_ >= bytes_max; }
  /// Whether it has something to send now; acknowledgements and events alone wait for the next
  /// exchange.
  bool has_urgent() const noexcept {
    return !request_.settled.empty() || !request_.ended.empty() || !request_.released.empty();
  }

  ExchangeRequest& request() noexcept { return request_; }
  const ExchangeRequest& request() const noexcept { return request_; }

  /// Empties the request after it was answered. Returns its events, which are committed now.
  std::vector<RunEvent> clear();

 private:
  ExchangeRequest request_;
  std::vector<RunEvent> events_;
  std::size_t bytes_ = 0;
  bool listeners_here_ = false, listeners_elsewhere_ = false;
};

}  // namespace weir
