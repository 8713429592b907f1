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

/// What keeps a database going beside its runs: schedules, and what is old. One object is one
/// session.
///
/// Errors of every call: unavailable; others as said. [one thread at a time, but for wake()]
class MaintenanceStore {
 public:
  virtual ~MaintenanceStore() = default;

  /// Adds a schedule, or changes the one of that name, all of it. Gives its first tick. Errors:
  /// invalid_input, naming the field and the word.
  virtual Result<Time> schedule(const ScheduleSpec& spec) = 0;

  /// False when there is none of that name.
  virtual Result<bool> unschedule(const std::string& name) = 0;

  /// False when it was so. Errors: not_found with the nearest name.
  virtual Result<bool> pause_schedule(const std::string& name) = 0;
  virtual Result<bool> resume_schedule(const std::string& name) = 0;

  /// By name.
  virtual Result<std::vector<ScheduleReport>> schedules() = 0;

  /// The next ticks of an expression from now on. Errors: invalid_input.
  virtual Result<std::vector<Time>> ticks(const std::string& cron, const std::string& time_zone,
                                          std::size_t count) = 0;

  /// Starts what is due, each tick exactly one run whoever calls it (C5).
  virtual Result<TickReport> tick() = 0;

  /// One batch of at most `batch` runs, in one transaction; again with its cursor until finished.
  /// Flows of `retention` that are not known change nothing; a dry batch only counts.
  virtual Result<PruneReport> prune(const Retention& retention, PruneCursor cursor,
                                    std::int64_t batch, bool dry) = 0;

  /// What somebody has to see to now and then: the journal's next partitions, what changed limits
  /// leave to do. True: it is the caller's turn to prune; of all who ask for one, one has it in
  /// `every`.
  virtual Result<bool> keep_house(std::optional<std::chrono::milliseconds> every) = 0;

  /// Returns when schedules changed, when wake() was called since the last wait, or after `limit`;
  /// at once when the session is found broken.
  virtual void wait(std::chrono::milliseconds limit) = 0;

  /// Ends the wait that is under way, or the next one.  [any thread]
  virtual void wake() noexcept = 0;
};

}  // namespace weir
