#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

/// Why a step was skipped (F8).
enum class SkipReason : std::uint8_t {
  condition_unmet,     ///< F7
  handler_failed,      ///< its attempts were exhausted (F5)
  dependency_skipped,  ///< a step it depends on was skipped together with its dependents
};

/// "condition_unmet", "handler_failed", "dependency_skipped": as the row of a skip contains it.
std::string_view name(SkipReason reason) noexcept;

/// The reason of that name.
std::optional<SkipReason> skip_reason(std::string_view name) noexcept;

}  // namespace weir
