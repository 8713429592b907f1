#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json_difference.hpp"
#include "registry/flow_handle.hpp"
#include "run/journal_row.hpp"
#include "run/recorded_run.hpp"

namespace weir {

/// What a new build makes of an attempt that is on record.
struct ReplayedAttempt {
  enum class Verdict {
    same,          ///< the same output, or it fails as well
    differs,       ///< another output
    fails,         ///< completed then, and not now
    completes,     ///< failed then, and not now: nothing to compare
    no_such_step,  ///< the new build has no step with code of that name
  };

  std::string step;
  std::size_t index = 0;
  int attempt = 1;
  Outcome recorded = Outcome::completed;
  Verdict verdict = Verdict::same;
  JsonDifference difference = {};           ///< of one that differs
  std::string error_code = {}, error = {};  ///< of what fails now
};

/// "same", "differs", "fails", "completes", "no such step"
std::string_view name(ReplayedAttempt::Verdict verdict) noexcept;

/// Whether it keeps what was recorded: same and completes do.
bool is_as_before(ReplayedAttempt::Verdict verdict) noexcept;

/// Runs the steps of `flow` on the inputs of a recorded run's attempts, each with its own number,
/// in this process, and compares. Passed over is what has no result of the plugin's code: lost and
/// cancelled attempts, skips, waits, child runs.
/// Errors: corrupt, when the rows do not fit the definition they are recorded with.
Result<std::vector<ReplayedAttempt>> replay(const RecordedRun& run, const FlowHandle& flow);

}  // namespace weir
