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

/// Attempts that are over for their worker, but whose handlers settle them in a transaction of
/// their own (C9): what is committed determines their outcome. Used only by the worker's loop.
///
/// Invariants:
/// - An attempt stays stated as in flight, and its run owned and open, until it is resolved, so
///   that no exchange conflicts with the transaction of a handler.
/// - Only the database resolves it: the worker neither guesses the outcome nor waits for the
///   transaction.
class OpenSettlements {
 public:
  /// `otherwise` is its row if the handler committed nothing.
  void add(std::shared_ptr<Attempt> attempt, JournalRow otherwise);

  bool empty() const noexcept { return open_.empty(); }
  bool holds(RunKey run) const;

  /// Asks the database about each attempt that is due; calls `resolved` with the row that is then
  /// in the journal. Errors: lease_lost, and others that are not temporary.
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
