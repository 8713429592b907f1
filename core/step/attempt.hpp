#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <weir/registry/cancellation.hpp>

#include "base/json.hpp"
#include "base/time.hpp"
#include "registry/flow_handle.hpp"
#include "run/ids.hpp"
#include "run/journal_row.hpp"
#include "run/run_state.hpp"
#include "step/database_clock.hpp"

namespace weir {

/// Whether a handler may still be handed the settlement of its attempt (C9). Once it was, what is
/// committed says how the attempt ended; once it is closed, the worker does.
///
/// Threads: the handler takes, the worker's loop closes; one exchange on `state_` decides which
/// came first.
class SettlementGate {
 public:
  /// False when it was closed. Again is no different.
  bool take() noexcept {
    State expected = State::open;
    return state_.compare_exchange_strong(expected, State::taken) || expected == State::taken;
  }
  /// False when it was taken.
  bool close() noexcept {
    State expected = State::open;
    return state_.compare_exchange_strong(expected, State::closed) || expected == State::closed;
  }

 private:
  enum class State : std::uint8_t { open, taken, closed };
  std::atomic<State> state_ = State::open;  // pairs with itself: take() and close()
};

/// One attempt of one task on its way through a slot.
///
/// Threads: the worker's loop fills it in before it starts and reads `result` and `ended` after the
/// slot has given it back; between, the slot's thread alone writes them. `stop`, `gate` and
/// `started` are for both: stop is cancelled by the loop and read by the handler; started is set by
/// the slot (release) and read by the loop (acquire).
struct Attempt {
  std::uint64_t ticket = 0;  ///< names this very execution; never used twice by a worker
  WorkerId worker = 0;
  RunKey run = 0;
  ShareId share = 0;  ///< whose element it is; 0: it is of a run that its worker owns
  TaskId task;
  int number = 1;  ///< from 1

  FlowHandle flow;                 ///< keeps the code mapped
  std::optional<PluginId> plugin;  ///< what the database calls that code (V1)
  const weir_step* step = nullptr;
  StepOptions options;
  Json input;
  std::string run_id;
  Json flow_input;
  Steady given{};         ///< when the loop chose it
  Time not_before{};      ///< when it was due
  DatabaseClock clock{};  ///< as the loop had it when it chose it

  Cancellation<> stop;
  std::atomic<Steady::rep> started = 0;  ///< steady_clock's count; 0: has not begun
  SettlementGate gate;

  AttemptResult result;
  Steady ended{};
};

}  // namespace weir
