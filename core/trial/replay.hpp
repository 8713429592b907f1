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

/// The result of a recorded attempt when a new build runs it again.
struct ReplayedAttempt {
  enum class Verdict {
    same,          ///< the same output, or it fails as it did
    differs,       ///< another output
    fails,         ///< it completed then and fails now
    completes,     ///< it failed then and completes now: there is nothing to compare
    no_such_step,  ///< the new build has no step with code of that name
  };

  std::string step;
  std::size_t index = 0;
  int attempt = 1;
  Outcome recorded = Outcome::completed;
  Verdict verdict = Verdict::same;
  JsonDifference difference = {};           ///< if the output differs
  std::string error_code = {}, error = {};  ///< if the attempt fails now
};

/// "same", "differs", "fails", "completes", "no such step"
std::string_view name(ReplayedAttempt::Verdict verdict) noexcept;

/// Whether the result is the recorded one or better: true for same and completes.
bool is_as_before(ReplayedAttempt::Verdict verdict) noexcept;

/// Runs the steps of `flow` in this process on the inputs of a recorded run's attempts, each with
/// its own attempt number, and compares the results. Rows that are not a result of the plugin's
/// code are left out: lost and cancelled attempts, skips, waits, child runs.
///
/// Errors: corrupt, when the rows do not fit the definition that they are recorded with.
Result<std::vector<ReplayedAttempt>> replay(const RecordedRun& run, const FlowHandle& flow);

}  // namespace weir
