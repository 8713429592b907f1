#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <weir/registry/cancellation.hpp>

#include "base/json.hpp"
#include "base/time.hpp"
#include "registry/flow_registry.hpp"
#include "run/journal_row.hpp"
#include "run/run_state.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// One attempt of one task on its way through a slot.
///
/// Threads: the worker's loop fills it in before it starts and reads `result` and `ended` after the
/// slot has given it back; between, the slot's thread alone writes them. `stop` and `started` are
/// for both: stop is cancelled by the loop and read by the handler; started is set by the slot
/// (release) and read by the loop (acquire).
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
  Steady given{};     ///< when the loop chose it
  Time not_before{};  ///< when it was due

  Cancellation<> stop;
  std::atomic<Steady::rep> started = 0;  ///< steady_clock's count; 0: has not begun

  AttemptResult result;
  Steady ended{};
};

}  // namespace weir
