#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weir/json_text.hpp>
#include <weir/time.hpp>

namespace weir {

/// A run without its values and steps. Times are the database's.
struct RunSummary {
  std::string id{};
  std::string flow{};
  int version = 1;
  std::string status{};  ///< queued, running, completed, failed, cancelled
  std::optional<std::string> error{};
  Time created_at{};
  std::optional<Time> started_at{}, ended_at{};
  std::optional<Time> wake_at{};  ///< of an open run that sleeps: until when
  int priority = 0;
  std::vector<std::string> tags{};
  std::optional<std::string> note{};        ///< of a completed run without output: why (P7)
  std::optional<std::string> parent_run{};  ///< of a child run: its parent, which waits for it (C8)
};

/// The present state of a step of a run.
struct StepReport {
  std::string slug{};
  std::string kind{};    ///< single, map, wait, flow
  std::string status{};  ///< waiting, ready, running, completed, failed, skipped, cancelled
  std::optional<std::int64_t> tasks{};  ///< unknown while the array of a map is not there yet
  std::int64_t tasks_completed = 0;
  std::int64_t attempts = 0;
  std::optional<Json> output{};
  std::optional<std::string> error{};
  std::optional<std::string> skip_reason{};  ///< condition_unmet, handler_failed, …
  std::optional<Time> started_at{}, ended_at{};
  std::vector<std::string> depends_on{};
  std::optional<std::string> signal{};     ///< of a wait: the name of the signal that ends it
  std::optional<Time> until{};             ///< of a wait that has begun: when it ends by itself
  std::optional<std::string> child_run{};  ///< of a flow step: the run it started last
  std::int64_t retried = 0;                ///< how many times it was retried by command (C3)
};

/// A whole run, without its attempts.
struct RunReport {
  RunSummary summary{};
  Json input{};
  std::optional<Json> output{};
  /// Of an open run that no worker holds: why no worker may begin it now, and what to do.
  std::optional<std::string> waits_for{};
  std::vector<StepReport> steps{};  ///< canonical order
};

/// One ended attempt of one task, or the fact that a step was skipped or a task was retried.
struct AttemptReport {
  std::string step{};
  std::size_t index = 0;  ///< of a map's element; else 0
  int attempt = 1;        ///< from 1; 0 for a skipped step
  std::string outcome{};  ///< completed, failed, failed_for_good, timed_out, lost, cancelled,
                          ///< skipped, retried
  std::optional<Json> output{};
  std::string error_code{};  ///< of a skipped step: the skip reason
  std::string error{};
  Time started_at{}, ended_at{};
};

/// Which runs to list: those that match everything that is set.
struct RunFilter {
  std::optional<std::string> flow{}, status{}, tag{};
  std::optional<Time> since{}, until{};                     ///< of created_at: [since, until)
  std::optional<Json> input_contains{}, output_contains{};  ///< as PostgreSQL's @>
  std::int64_t count_max = 20;
};

/// Whether a run with this status has ended.
inline bool is_over(const std::string& status) noexcept {
  return status == "completed" || status == "failed" || status == "cancelled";
}

}  // namespace weir
