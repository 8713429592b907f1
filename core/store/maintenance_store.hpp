#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/pruning.hpp"
#include "store/schedule.hpp"

namespace weir {

/// The upkeep of a database beside its runs: schedules, and the deletion of old runs. One object is
/// one session.
///
/// Errors of every call: unavailable; others are listed with the call.  [one thread at a time,
/// except wake()]
class MaintenanceStore {
 public:
  virtual ~MaintenanceStore() = default;

  /// Adds a schedule, or replaces the one of that name as a whole. Returns its first tick. Errors:
  /// invalid_input, naming the field and the wrong value.
  virtual Result<Time> schedule(const ScheduleSpec& spec) = 0;

  /// Removes a schedule. False when there is none of that name.
  virtual Result<bool> unschedule(const std::string& name) = 0;

  /// False when it was paused, or active, before. Errors: not_found with the nearest name.
  virtual Result<bool> pause_schedule(const std::string& name) = 0;
  virtual Result<bool> resume_schedule(const std::string& name) = 0;

  /// All schedules, in the order of their names.
  virtual Result<std::vector<ScheduleReport>> schedules() = 0;

  /// The next ticks of an expression from now on. Errors: invalid_input.
  virtual Result<std::vector<Time>> ticks(const std::string& cron, const std::string& time_zone,
                                          std::size_t count) = 0;

  /// Starts what is due: exactly one run for each tick, however many processes call this (C5).
  virtual Result<TickReport> tick() = 0;

  /// Deletes one batch of at most `batch` old runs, in one transaction. Call it again with the
  /// cursor of the report until that says `finished`. Unknown flows in `retention` are ignored; a
  /// dry batch only counts.
  virtual Result<PruneReport> prune(const Retention& retention, PruneCursor cursor,
                                    std::int64_t batch, bool dry) = 0;

  /// Periodic upkeep: adds the journal's next partitions, and applies changed limits. True: the
  /// caller shall prune now; of all callers, one gets true in each interval of length `every`.
  /// nullopt never asks to prune.
  virtual Result<bool> maintain(std::optional<std::chrono::milliseconds> every) = 0;

  /// Returns when schedules changed, when wake() was called since the last wait, or after `limit`;
  /// immediately when the session turns out to be broken.
  virtual void wait(std::chrono::milliseconds limit) = 0;

  /// Ends the current wait, or the next one.  [any thread]
  virtual void wake() noexcept = 0;
};

}  // namespace weir
