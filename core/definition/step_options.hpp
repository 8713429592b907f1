#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "definition/step_kind.hpp"

namespace weir {

/// How a step is tried (D3). Whole milliseconds, as manifests write them. A `base_delay` above
/// `max_delay` is allowed: no wait is ever longer than `max_delay`.
struct StepOptions {
  std::int64_t max_attempts = 3;
  std::chrono::milliseconds base_delay{1'000};
  std::chrono::milliseconds max_delay{3'600'000};
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds start_delay{0};
  std::int64_t max_output_bytes = 16 * 1024 * 1024;
  friend bool operator==(const StepOptions&, const StepOptions&) = default;
};

/// What may stand for an option in a manifest or in flows.yaml: absent means "as before".
struct OptionOverrides {
  std::optional<std::int64_t> max_attempts = {};
  std::optional<std::int64_t> base_delay_ms = {};
  std::optional<std::int64_t> max_delay_ms = {};
  std::optional<std::int64_t> timeout_ms = {};
  std::optional<std::int64_t> start_delay_ms = {};
  std::optional<std::int64_t> max_output_bytes = {};
  friend bool operator==(const OptionOverrides&, const OptionOverrides&) = default;
};

/// `options` with every present override in place; ranges are the caller's to check (option_rules).
StepOptions overridden(StepOptions options, const OptionOverrides& overrides);

/// What of a flow's options holds for a step of that kind: how long a wait waits is its own affair
/// (D4).
OptionOverrides applicable(OptionOverrides for_all, StepKind kind);

/// What the operator says of one flow: for all steps, and over that for some by their slugs. Steps
/// the flow does not have are passed over.
struct FlowOverrides {
  OptionOverrides all{};
  std::map<std::string, OptionOverrides> steps{};
  friend bool operator==(const FlowOverrides&, const FlowOverrides&) = default;
};

/// The options of a step as the operator will have them; ranges are the caller's to check.
StepOptions overridden(StepOptions options, StepKind kind, const std::string& slug,
                       const FlowOverrides& overrides);

/// An option's name, range and unit, once for manifests, configuration, schemas and messages.
struct OptionRule {
  std::string_view name;  ///< as in manifests: "timeout_ms"
  std::optional<std::int64_t> OptionOverrides::* member;
  std::int64_t min, max;
  bool step_only;         ///< start_delay: means nothing for a whole flow
  std::string_view unit;  ///< "ms", "bytes", or "" for a plain count

  /// As flows.yaml has it, where the unit stands with the number: "timeout".
  std::string_view plain_name() const noexcept;

  /// Whether it means anything to a step of that kind: a wait and a child run are not tried again,
  /// and a child run has a timeout of its own.
  bool applies_to(StepKind kind) const noexcept;

  bool allows(std::int64_t value) const noexcept { return min <= value && value <= max; }

  /// The range for people: "1 ms to 30 days", "1 to 1000".
  std::string range() const;
};
inline constexpr std::int64_t day_ms = 86'400'000;
inline constexpr std::array<OptionRule, 6> option_rules = {{
    {"max_attempts", &OptionOverrides::max_attempts, 1, 1'000, false, ""},
    {"base_delay_ms", &OptionOverrides::base_delay_ms, 0, day_ms, false, "ms"},
    {"max_delay_ms", &OptionOverrides::max_delay_ms, 0, 365 * day_ms, false, "ms"},
    {"timeout_ms", &OptionOverrides::timeout_ms, 1, 30 * day_ms, false, "ms"},
    {"start_delay_ms", &OptionOverrides::start_delay_ms, 0, 365 * day_ms, true, "ms"},
    {"max_output_bytes", &OptionOverrides::max_output_bytes, 1, 256 * 1024 * 1024, false, "bytes"},
}};

}  // namespace weir
