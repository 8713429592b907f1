#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "step/attempt.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// Attempts that are over for their worker, but whose handlers were handed their settlement (C9):
/// what is committed says how they ended. Belongs to the worker's loop.
///
/// Invariants:
/// - An attempt stays stated as in flight, and its run owned and open, until it is resolved: so no
///   exchange meets the transaction of a handler.
/// - It is resolved by the database alone: never by guessing, and never by waiting.
class OpenSettlements {
 public:
  /// `otherwise` is how it ended if nothing was committed.
  void add(std::shared_ptr<Attempt> attempt, JournalRow otherwise);

  bool empty() const noexcept { return open_.empty(); }
  bool holds(RunKey run) const;

  /// Asks the database about each that is due; `resolved` is told the row that stands in the
  /// journal then. Errors: lease_lost, and what waiting does not mend.
  Result<void> resolve(WorkerId worker, Steady now, WorkerStore& store,
                       const std::function<void(const Attempt&, const JournalRow&)>& resolved);

  /// When resolve() has something to do again; nullopt: never.
  std::optional<Steady> due_at() const;

  void state(std::vector<InFlightTask>& in_flight) const;
  void forget() { open_.clear(); }

 private:
  struct Open {
    std::shared_ptr<Attempt> attempt;
    JournalRow otherwise;
    std::chrono::milliseconds pause;
    Steady ask_at{};
  };
  std::vector<Open> open_;
};

}  // namespace weir
