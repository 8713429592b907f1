#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string_view>

#include "base/log.hpp"
#include "base/time.hpp"
#include "step/database_clock.hpp"
#include "store/worker_store.hpp"
#include "worker/outbox.hpp"
#include "worker/run_book.hpp"
#include "worker/trial.hpp"
#include "worker/worker.hpp"

namespace weir {

/// What the parts of a worker's loop share. Used only by the loop.
struct LoopState {
  const WorkerOptions& options;
  WorkerStore& store;
  Log& log;
  std::function<Steady()> clock_of_host;

  WorkerId worker = 0;
  DatabaseClock clock{};
  RunBook runs{};
  Outbox outbox{};
  std::set<VersionId> paused{};  ///< no task of them may start (C2)
  std::optional<Steady> drain_until{};
  std::optional<Trial> trial{};  ///< the worker only holds this (F10)

  bool is_draining() const noexcept { return drain_until.has_value(); }
  Steady now() const { return clock_of_host(); }
  /// The database's time now.
  Time database_now() const { return clock.at(now()); }

  /// Applies a row to its run, which allows it, and journals it with the next exchange.
  void journal(RunKey key, OwnedRun& run, JournalRow row, std::optional<PluginId> plugin);

  /// Logs an attempt or a step that did not complete.
  void log_failure(std::string_view run, const FlowDefinition& flow, const JournalRow& row) const;
};

}  // namespace weir
