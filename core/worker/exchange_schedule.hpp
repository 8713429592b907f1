#pragma once
#include <chrono>
#include <cstddef>
#include <optional>

#include "base/time.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// Decides when a worker exchanges with the database: when it has something to send, when there may
/// be runs to claim or notifications to receive, and in any case before its lease ends. Used only
/// by the worker's loop.
class ExchangeSchedule {
 public:
  /// Between two scans for runs: in case a notification, which is a hint, is missing.
  static constexpr std::chrono::milliseconds poll_interval{1'000};
  /// After the first scan that found none, see answered().
  static constexpr std::chrono::milliseconds rescan_delay{10};

  explicit ExchangeSchedule(std::chrono::milliseconds lease) : lease_(lease) {}

  /// There may be runs to claim.
  void note_possible_runs() noexcept { may_have_runs_ = true; }
  /// The database has notifications for the worker's runs.
  void note_notification() noexcept { notified_ = true; }
  /// The lease may be lost: only an exchange shows whether it is.
  void confirm_lease(Steady now) noexcept { renew_at_ = now; }

  bool may_have_runs() const noexcept { return may_have_runs_; }

  /// When a sleeping run of the database becomes due, as far as is known.
  const std::optional<Time>& next_wake_at() const noexcept { return next_wake_at_; }
  /// When the database is asked for runs though nothing indicates that there are any.
  Steady poll_at() const noexcept { return poll_at_; }

  /// Whether to exchange now. `has_urgent`: there is something to send; `room`: how many tasks the
  /// worker would claim.
  bool is_due(Steady now, bool has_urgent, std::size_t room) const {
    return has_urgent || now >= renew_at_ || notified_ || (may_have_runs_ && room > 0);
  }

  /// When the loop must wake up by the clock alone: to renew the lease, or to note that there may
  /// be runs. `wake_at` is next_wake_at() by this host's clock.
  Steady due_at(std::size_t room, std::optional<Steady> wake_at) const;

  /// The exchange begins: what was noted until now is covered by it.
  void begin() noexcept { notified_ = false; }

  /// The exchange was answered at `now`; it had asked for `asked` runs.
  void answered(const ExchangeReply& reply, std::size_t asked, Steady now);

 private:
  std::chrono::milliseconds lease_;
  bool may_have_runs_ = true;
  bool idle_stated_ = false;  ///< the database knows that this worker waits for runs
  bool notified_ = false;
  std::optional<Time> next_wake_at_;
  Steady renew_at_{}, poll_at_{};
};

}  // namespace weir
