#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <weir/client/run_event.hpp>

#include "base/time.hpp"
#include "run/event_name.hpp"
#include "store/worker_store.hpp"
#include "worker/owned_run.hpp"

namespace weir {

/// Collects the request of a worker's next exchange, also while one is under way. Used only by the
/// worker's loop.
///
/// Invariants:
/// - What was sent does not change until it is answered, however often it is repeated (L6); but for
///   runs that turn out not to be the worker's any more.
/// - What the database was too busy to take is sent again until it is taken, together with the
///   events of these runs.
class Outbox {
 public:
  /// When more than this is collected, further results wait for the following exchange.
  static constexpr std::size_t bytes_max = 8 * 1024 * 1024;
  /// Until what the database was too busy to take is sent again.
  static constexpr std::chrono::milliseconds busy_pause{100};
  /// Of how many runs at most with one exchange: each costs the database some milliseconds.
  static constexpr std::size_t retries_max = 16;

  void settle(RunKey run, JournalRow row, std::optional<PluginId> plugin);
  void end(RunKey run, const RunEnd& end, const Relations& relations = {});
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
    return hurries_ || !request_.settled.empty() || !request_.ended.empty() ||
           !request_.released.empty();
  }
  /// What was collected does not wait for the next exchange.
  void hurry() noexcept { hurries_ = true; }
  /// Drops the rows of a run that were not sent: it fails, for what the database says of one that
  /// was.
  void forget_rows(RunKey run) {
    std::erase_if(request_.settled, [&](const SettledAttempt& each) { return each.run == run; });
  }

  /// Drops everything of a run that is not the worker's any more.
  void drop_run(RunKey run);

  /// Whether something of the run, other than its end, is to be committed with the next exchange.
  bool has_news_of(RunKey run) const {
    return std::ranges::find(request_.settled, run, &SettledAttempt::run) !=
               request_.settled.end() ||
           std::ranges::find(request_.acknowledged, run, &Acknowledgement::run) !=
               request_.acknowledged.end();
  }

  /// What is collected for the next exchange.
  ExchangeRequest& request() noexcept { return request_; }
  const ExchangeRequest& request() const noexcept { return request_; }

  /// Makes the request the one that is sent, at `now`, with what is to be sent again of runs that
  /// were busy; from here on the following one is collected. The one before must have been answered.
  ExchangeRequest& send(Steady now);
  /// What was sent last.
  ExchangeRequest& sent() noexcept { return sent_; }
  bool is_under_way() const noexcept { return under_way_; }

  /// Forgets what was sent after it was answered at `now`, and keeps what is to be sent again of the
  /// runs that were busy. Returns the events that are committed now.
  std::vector<RunEvent> answered(const ExchangeReply& reply, Steady now);

  /// When there is something to send again; nullopt: never.
  std::optional<Steady> retry_at() const noexcept { return retry_at_; }
  /// The runs that ended or were released with what was sent and answered by `reply`.
  std::set<RunKey> left(const ExchangeReply& reply) const;

 private:
  void retry_busy(Steady now);

  struct LocalEvent {
    RunKey run = 0;
    RunEvent event;
  };
  /// What is to be sent again.
  struct Busy {
    std::vector<EndedRun> ended;
    std::vector<ReleasedRun> released;
    std::vector<PublishedEvent> events;
    std::vector<LocalEvent> local_events;
  };

  ExchangeRequest request_, sent_;
  std::vector<LocalEvent> local_events_, sent_local_events_;  ///< for listeners in this process
  bool under_way_ = false;
  Busy busy_;
  std::optional<Steady> retry_at_;
  std::size_t bytes_ = 0;
  bool hurries_ = false;
  bool listeners_here_ = false, listeners_elsewhere_ = false;
};

}  // namespace weir
