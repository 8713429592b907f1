#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "definition/step_kind.hpp"

namespace weir {

/// How a step's tasks are run and retried (D3). Whole milliseconds, as in manifests. A `base_delay`
/// above `max_delay` is allowed: no delay is ever longer than `max_delay`.
struct StepOptions {
  std::int64_t max_attempts = 3;
  std::chrono::milliseconds base_delay{1'000};
  std::chrono::milliseconds max_delay{3'600'000};
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds start_delay{0};
  std::int64_t max_output_bytes = 16 * 1024 * 1024;
  friend bool operator==(const StepOptions&, const StepOptions&) = default;
};

/// Replacements for options, from a manifest or flows.yaml: an absent one keeps the value before.
struct OptionOverrides {
  std::optional<std::int64_t> max_attempts = {};
  std::optional<std::int64_t> base_delay_ms = {};
  std::optional<std::int64_t> max_delay_ms = {};
  std::optional<std::int64_t> timeout_ms = {};
  std::optional<std::int64_t> start_delay_ms = {};
  std::optional<std::int64_t> max_output_bytes = {};
  friend bool operator==(const OptionOverrides&, const OptionOverrides&) = default;
};

/// `options` with every present override applied; the caller checks ranges (option_rules).
StepOptions overridden(StepOptions options, const OptionOverrides& overrides);

/// The part of a flow's options that applies to its steps of that kind: a wait does not take its
/// timeout from the flow (D4).
OptionOverrides applicable(OptionOverrides for_all, StepKind kind);

/// The operator's overrides for one flow: for all steps, and with precedence over those, for some
/// steps by slug. Steps the flow does not have are ignored.
struct FlowOverrides {
  OptionOverrides all{};
  std::map<std::string, OptionOverrides> steps{};
  friend bool operator==(const FlowOverrides&, const FlowOverrides&) = default;
};

/// The options of a step after the operator's overrides; the caller checks ranges.
StepOptions overridden(StepOptions options, StepKind kind, const std::string& slug,
                       const FlowOverrides& overrides);

/// An option's name, range and unit. Manifests, configuration, messages, differences and what shows
/// options read them here; the JSON schemas, the SDK (options.hpp) and the database's checks repeat
/// them, and tests compare.
struct OptionRule {
  std::string_view name;  ///< as in manifests: "timeout_ms"
  std::optional<std::int64_t> OptionOverrides::* member;
  std::int64_t (*get)(const StepOptions&);  ///< in the rule's unit
  void (*set)(StepOptions&, std::int64_t);  ///< the caller checks the range
  std::int64_t min, max;
  bool step_only;         ///< start_delay: cannot be set for a whole flow
  std::string_view unit;  ///< "ms", "bytes", or "" for a plain count

  /// The name in flows.yaml, where the unit is part of the value: "timeout".
  std::string_view plain_name() const noexcept;

  /// Whether it applies to a step of that kind: start_delay_ms to every step, timeout_ms to all but
  /// flow steps, the rest to steps with code, as only those have attempts.
  bool applies_to(StepKind kind) const noexcept;

  bool allows(std::int64_t value) const noexcept { return min <= value && value <= max; }

  /// The range as messages show it: "1 ms to 30 days", "1 to 1000".
  std::string range() const;
};

template <auto option>
constexpr std::int64_t option_value(const StepOptions& options) {
  if constexpr (requires { (options.*option).count(); })
    return (options.*option).count();
  else
    return options.*option;
}

template <auto option>
constexpr void set_option(StepOptions& options, std::int64_t value) {
  options.*option = std::remove_reference_t<decltype(options.*option)>{value};
}

template <auto option>
constexpr OptionRule option_rule(std::string_view name,
                                 std::optional<std::int64_t> OptionOverrides::* member,
                                 std::int64_t min, std::int64_t max, std::string_view unit) {
  return {name, member, option_value<option>, set_option<option>, min, max, false, unit};
}

constexpr OptionRule step_only(OptionRule rule) {
  rule.step_only = true;
  return rule;
}

inline constexpr std::int64_t day_ms = 86'400'000;
inline constexpr std::array<OptionRule, 6> option_rules = {
    option_rule<&StepOptions::max_attempts>("max_attempts", &OptionOverrides::max_attempts, 1,
                                            1'000, ""),
    option_rule<&StepOptions::base_delay>("base_delay_ms", &OptionOverrides::base_delay_ms, 0,
                                          day_ms, "ms"),
    option_rule<&StepOptions::max_delay>("max_delay_ms", &OptionOverrides::max_delay_ms, 0,
                                         365 * day_ms, "ms"),
    option_rule<&StepOptions::timeout>("timeout_ms", &OptionOverrides::timeout_ms, 1, 30 * day_ms,
                                       "ms"),
    step_only(option_rule<&StepOptions::start_delay>(
        "start_delay_ms", &OptionOverrides::start_delay_ms, 0, 365 * day_ms, "ms")),
    option_rule<&StepOptions::max_output_bytes>(
        "max_output_bytes", &OptionOverrides::max_output_bytes, 1, 256 * 1024 * 1024, "bytes"),
};

}  // namespace weir
