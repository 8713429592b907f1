#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
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

/// Decides whether a handler may still settle its attempt in a transaction of its own (C9). Once
/// the handler has taken the gate, the committed transaction determines the outcome of the attempt;
/// once the gate is closed, the worker determines it.
///
/// Threads: the handler calls take(), the worker's loop calls close(); one compare-exchange on
/// `state_` decides which came first.
class SettlementGate {
 public:
  /// False when the gate was closed before. A repeated call returns the same.
  bool take() noexcept {
    State expected = State::open;
    return state_.compare_exchange_strong(expected, State::taken) || expected == State::taken;
  }
  /// False when the gate was taken before.
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
/// Threads: the worker's loop fills it in before the attempt starts, and reads `result` and `ended`
/// after the slot has returned it; in between, only the slot's thread writes them. Both threads use
/// `stop`, `gate`, `started` and `deferred`: the loop cancels `stop` and the handler reads it; the
/// slot sets `started` and `deferred` (release) and the loop reads them (acquire). Once it was
/// deferred, what completes the call writes `result` and `ended` in place of the slot.
struct Attempt {
  std::uint64_t ticket = 0;  ///< identifies this execution; a worker never uses one twice
  WorkerId worker = 0;
  RunKey run = 0;
  ShareId share = 0;  ///< the share it is an element of; 0: it is of a run that its worker owns
  TaskId task;
  int number = 1;  ///< from 1

  FlowHandle flow;                 ///< keeps the code mapped
  std::optional<PluginId> plugin;  ///< the database's id of that code (V1)
  const weir_step* step = nullptr;
  StepOptions options;
  Json input;
  std::string run_id;
  Json flow_input;
  Steady chosen{};        ///< when the loop chose it
  Time not_before{};      ///< when it was due
  DatabaseClock clock{};  ///< a copy of the loop's, made when the loop chose it

  Cancellation<> stop;
  std::atomic<Steady::rep> started = 0;  ///< steady_clock's count; 0: has not begun
  /// The same of when its handler returned with the call deferred; 0: it did not.
  std::atomic<Steady::rep> deferred = 0;
  std::atomic<std::uint64_t> deferred_as = 0;  ///< the number of its deferred call (relaxed)
  SettlementGate gate;

  AttemptResult result;
  Steady ended{};
  bool given_back = false;  ///< set with `result`, which is none: the task is due again (F1)

  /// What its call counts for in the room of its worker (worker/async_room.hpp), which alone uses it.
  enum class Room : std::uint8_t { none, counts, is_over };
  Room room = Room::none;
  std::size_t room_bytes = 0;
};

}  // namespace weir
