#pragma once
#include <optional>
#include <string_view>

namespace weir {

/// What happens to a step that cannot complete: its conditions are unmet (F7), or its attempts are
/// exhausted (F5).
enum class Fallback {
  fail,          ///< the run fails
  skip,          ///< the step is skipped, its dependents run without it
  skip_cascade,  ///< the step and all that depends on it, directly or not, are skipped
};

/// "fail", "skip", "skip_cascade".
std::string_view name(Fallback fallback) noexcept;

/// The fallback of that name, in lower case only.
std::optional<Fallback> fallback(std::string_view name) noexcept;

}  // namespace weir
