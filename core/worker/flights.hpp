#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "step/attempt.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// The attempts that a worker has stated as in flight, with their time limits (F4). Used only by
/// the worker's loop.
class Flights {
 public:
  /// How long a handler may take to react to its stop token before its attempt is settled without
  /// it.
  static constexpr std::chrono::milliseconds stop_grace{1'000};

  struct Flight {
    std::shared_ptr<Attempt> attempt;
    std::optional<Steady> timed_out_at;  ///< when its stop token was cancelled
  };

  std::size_t size() const noexcept { return flights_.size(); }
  void add(std::shared_ptr<Attempt> attempt);

  /// Removes and returns an attempt; nullopt when it was settled or forgotten before: then the
  /// result of its handler must be refused.
  std::optional<Flight> take(std::uint64_t ticket);

  /// Cancels the stop tokens of all attempts of one owned run; removes and returns them. Attempts
  /// of shares of the same run, which was claimed meanwhile, are not the run's own.
  std::vector<Flight> take_run(RunKey run);

  /// The same for one share.
  std::vector<Flight> take_share(ShareId share);

  /// Cancels the stop tokens of those attempts of an owned run whose tasks are no longer needed.
  void stop_if(RunKey run, const std::function<bool(TaskId)>& unwanted);

  /// Cancels every stop token and forgets all attempts.
  void forget();

  /// Cancels the stop tokens of those whose timeout has passed. Returns the tickets of those that
  /// did not end within the grace period.
  std::vector<std::uint64_t> enforce(Steady now);

  /// The earliest moment at which enforce() may have something to do.
  std::optional<Steady> next_limit(Steady now) const;

  std::vector<InFlightTask> stated() const;

 private:
  std::vector<Flight> take_if(const std::function<bool(const Attempt&)>& chosen);

  std::map<std::uint64_t, Flight> flights_;
};

}  // namespace weir
