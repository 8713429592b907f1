#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/time.hpp"
#include "run/journal_row.hpp"

namespace weir {

/// The numbers are stored in the database, where 0 is a run that is still open.
enum class RunStatus : std::int16_t { completed = 1, failed = 2, cancelled = 3 };

/// The largest output of a run, as JSON text: a run that completes with a larger one fails (P7).
/// PostgreSQL stores at most 256 MiB in one value, and numbers take more there than as text.
inline constexpr std::size_t run_output_bytes_max = std::size_t{128} * 1024 * 1024;

/// How a run ended.
struct RunEnd {
  RunStatus status = RunStatus::completed;
  Json output{};        ///< `{leaf: output}` of a completed run (P7)
  std::string error{};  ///< of a failed or cancelled one
  std::string note{};   ///< of a completed one, all of whose leaves were skipped
  std::optional<std::size_t> failed_step{};  ///< position
};

/// A wait step that has begun and not ended: it waits for its signal until then (D4).
struct OpenWait {
  std::size_t step = 0;
  Time until{};
};

/// A step that ended (E1).
struct StepEnd {
  enum class Kind { completed, failed, skipped };
  std::size_t step = 0;
  Kind kind = Kind::completed;
};

/// A task that may be started, not before `not_before`.
struct ReadyTask {
  TaskId task;
  int attempt = 1;
  Time not_before{};
};

}  // namespace weir
