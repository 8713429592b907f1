#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "step/attempt.hpp"
#include "store/worker_store.hpp"
#include "worker/async_room.hpp"

namespace weir {

/// How long a handler may take to react to its stop token before it is abandoned (F4).
inline constexpr std::chrono::milliseconds stop_grace{1'000};

/// Attempts that are over for their worker, whose handlers have not returned yet: their runs ended,
/// or their share or lease was lost. Used only by the worker's loop.
class EndingFlights {
 public:
  /// Its stop token was cancelled at `now`.
  void add(std::shared_ptr<Attempt> attempt, Steady now);

  /// Its handler has returned, or will never begin. True: it has obeyed its stop token in time.
  bool note_returned(std::uint64_t ticket) { return ending_.erase(ticket) > 0; }

  /// Removes and returns those that did not return within the grace period.
  std::vector<std::shared_ptr<Attempt>> take_overdue(Steady now);

  /// The earliest moment at which take_overdue() may return something.
  std::optional<Steady> next_limit(Steady now) const;

 private:
  struct Ending {
    std::shared_ptr<Attempt> attempt;
    Steady stopped_at;
  };
  std::map<std::uint64_t, Ending> ending_;
};

/// What outlives the loss of a worker's lease, as the handlers do. Used only by the worker's loop.
struct AcrossLives {
  std::uint64_t next_ticket = 1;  ///< no ticket is used twice
  EndingFlights ending{};
  AsyncRoom room{};
};

/// The attempts that a worker has stated as in flight, with their time limits (F4). Used only by
/// the worker's loop.
///
/// Cost: what is done in every round looks at the attempts that have a slot or wait for one, and not
/// at those whose calls are deferred, of which there may be a hundred thousand.
class Flights {
 public:
  /// `ending`, which must outlive it, is given the attempts that are taken or forgotten although
  /// their handlers may still run.
  explicit Flights(EndingFlights& ending) : ending_(ending) {}

  struct Flight {
    std::shared_ptr<Attempt> attempt;
    std::optional<Steady> stopped_at{};  ///< when its stop token was cancelled
    bool timed_out = false;              ///< that was because of its timeout
    std::optional<Steady> limit{};       ///< once its call is deferred: among limits_
  };

  std::size_t size() const noexcept { return flights_.size(); }
  /// Those that have a slot or wait for one, as far as note_deferred() was told.
  std::size_t on_slots() const noexcept { return on_slots_.size(); }
  void add(std::shared_ptr<Attempt> attempt);

  /// Takes note of the calls that were deferred since the last call: these attempts have no slot any
  /// more. Calls `deferred` with each.
  void note_deferred(const std::function<void(Attempt&)>& deferred);

  /// Calls `each` with those that have a slot or wait for one.
  void for_each_on_slots(const std::function<void(const Attempt&)>& each) const;

  /// Removes and returns an attempt; nullopt when it was settled or forgotten before: then the
  /// result of its handler must be refused.
  std::optional<Flight> take(std::uint64_t ticket);

  /// Cancels the stop tokens of all attempts of one owned run; removes and returns them. Attempts
  /// of shares of the same run, which was claimed meanwhile, are not the run's own.
  std::vector<Flight> take_run(RunKey run, Steady now);

  /// The same for one share.
  std::vector<Flight> take_share(ShareId share, Steady now);

  /// Cancels the stop tokens of those attempts of an owned run whose tasks are no longer needed.
  void stop_if(RunKey run, const std::function<bool(TaskId)>& unwanted, Steady now);

  /// Cancels every stop token and forgets all attempts.
  void forget(Steady now);

  /// Cancels the stop tokens of those whose timeout has passed. Returns the tickets of those whose
  /// stop token was cancelled and that did not end within the grace period.
  std::vector<std::uint64_t> enforce(Steady now);

  /// How many began their handlers at `time` or before, and have not deferred their calls.
  std::size_t begun_by(Steady time) const;
  /// Whether one of them was chosen at `time` or before and has not begun.
  bool any_waits_since(Steady time) const;

  /// The earliest moment at which enforce() may have something to do.
  std::optional<Steady> next_limit(Steady now) const;

  std::vector<InFlightTask> stated() const;

 private:
  using Ticket = std::uint64_t;
  /// A share, or (0) an owned run.
  using Owner = std::pair<ShareId, RunKey>;
  static Owner owner_of(const Attempt& attempt) {
    return {attempt.share, attempt.share == 0 ? attempt.run : 0};
  }
  std::vector<Flight> take_all_of(Owner owner, Steady now);
  Flight remove(std::map<Ticket, Flight>::iterator flight);
  void stop(Ticket ticket, Flight& flight, Steady now);
  void set_limit(Ticket ticket, Flight& flight);

  EndingFlights& ending_;
  std::map<Ticket, Flight> flights_;
  std::map<Ticket, Flight*> on_slots_;          ///< the part whose calls are not deferred
  std::set<std::pair<Steady, Ticket>> limits_;  ///< of the others
  std::set<std::pair<Owner, Ticket>> by_owner_;
};

}  // namespace weir
