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

/// What a worker is going to say: the request that its next exchange makes. Belongs to the loop.
///
/// Invariant: it is filled between two exchanges alone; while one is repeated it stays as it is
/// (L6).
class Outbox {
 public:
  /// More than this is left for the exchange after the next one.
  static constexpr std::size_t bytes_max = 32 * 1024 * 1024;

  void settle(RunKey run, JournalRow row, std::optional<PluginId> plugin);
  void end(RunKey run, const RunEnd& end) { request_.ended.push_back({run, end}); }
  void release(RunKey run, std::optional<Time> wake_at) {
    request_.released.push_back({run, wake_at});
  }
  void hear(RunKey run, int count) { request_.heard.push_back({run, count}); }

  /// Of a step, or of the run itself. Free of cost while nobody wants events.
  void tell(RunKey key, const OwnedRun& run, EventKind kind,
            std::optional<std::size_t> step = std::nullopt);

  /// Whether anybody wants events: in this process, or over the database.
  void wants_events(bool here, bool there) {
    listened_here_ = here;
    listened_there_ = there;
  }

  bool tells_events() const noexcept { return listened_here_ || listened_there_; }

  bool is_full() const noexcept { return bytes_ >= bytes_max; }
  /// What news and events alone are not: worth an exchange of its own.
  bool is_pressing() const noexcept {
    return !request_.settled.empty() || !request_.ended.empty() || !request_.released.empty();
  }

  ExchangeRequest& request() noexcept { return request_; }
  const ExchangeRequest& request() const noexcept { return request_; }

  /// The request was answered: the next one is empty. Returns the events that are facts now.
  std::vector<RunEvent> clear();

 private:
  ExchangeRequest request_;
  std::vector<RunEvent> events_;
  std::size_t bytes_ = 0;
  bool listened_here_ = false, listened_there_ = false;
};

}  // namespace weir
