#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/time.hpp"

namespace weir {

/// One claimable unit of a step: the step's position in its definition, and the element's index in
/// a map (0 for a single step).
struct TaskId {
  std::size_t step = 0;
  std::size_t index = 0;
  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

/// How an attempt ended. The numbers are stored in the database.
enum class Outcome : std::int16_t {
  completed = 1,
  failed = 2,           ///< retried while attempts are left
  failed_for_good = 3,  ///< not retried
  timed_out = 4,        ///< as failed
  lost = 5,             ///< its worker vanished: not charged, but limited by losses_max (F1)
  cancelled = 6,        ///< the run ended while the attempt ran
  skipped = 7,          ///< of the step, not of an attempt: has task 0, attempt 0 (F5, F7)
  retried = 8,          ///< by command: what failed before no longer counts (C3)
};

std::string_view name(Outcome outcome) noexcept;

/// A fact: one ended attempt; or a step that was skipped, or a task that was retried by command.
/// Appended once, never changed; what is not journaled has not happened.
struct JournalRow {
  TaskId task;
  int attempt = 1;  ///< from 1; 0 for a skipped step
  Outcome outcome = Outcome::completed;
  /// Of a completed attempt, or the refused output of a failed one (P6).
  std::optional<Json> output{};
  std::string error_code{};  ///< of a skipped step: the skip reason (F8)
  std::string error{};
  std::optional<std::chrono::milliseconds> retry_after{};  ///< what the handler asked for (F3)
  Time started_at{};
  Time ended_at{};
};

}  // namespace weir
