#include "definition/step_options.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace weir {
namespace {

// plain_name() takes the unit off the name, and every range has a value.
static_assert(std::ranges::all_of(option_rules, [](const OptionRule& rule) {
  return rule.min <= rule.max && rule.name.ends_with(rule.unit);
}));

// A round number in the unit a person would use: 30 days rather than 2592000000 ms.
std::string spelled(std::int64_t value, std::string_view unit) {
  constexpr std::int64_t mebibyte = 1024 * 1024;
  if (unit.empty()) return std::to_string(value);
  if (unit == "ms" && value >= day_ms && value % day_ms == 0)
    return fmt::format("{} day{}", value / day_ms, value == day_ms ? "" : "s");
  if (unit == "bytes" && value >= mebibyte && value % mebibyte == 0)
    return fmt::format("{} MiB", value / mebibyte);
  if (unit == "bytes" && value == 1) return "1 byte";
  return fmt::format("{} {}", value, unit);
}

}  // namespace

StepOptions overridden(StepOptions options, const OptionOverrides& overrides) {
  for (const OptionRule& rule : option_rules)
    if (const auto& value = overrides.*rule.member) rule.set(options, *value);
  return options;
}

OptionOverrides applicable(OptionOverrides for_all, StepKind kind) {
  if (kind == StepKind::wait) for_all.timeout_ms.reset();
  return for_all;
}

StepOptions overridden(StepOptions options, StepKind kind, const std::string& slug,
                       const FlowOverrides& overrides) {
  options = overridden(options, applicable(overrides.all, kind));
  const auto own = overrides.steps.find(slug);
  return own == overrides.steps.end() ? options : overridden(options, own->second);
}

std::string_view OptionRule::plain_name() const noexcept {
  return name.substr(0, name.size() - (unit.empty() ? 0 : 1 + unit.size()));
}

bool OptionRule::applies_to(StepKind kind) const noexcept {
  return has_code(kind) || member == &OptionOverrides::start_delay_ms ||
         (kind == StepKind::wait && member == &OptionOverrides::timeout_ms);
}

std::string OptionRule::range() const {
  return fmt::format("{} to {}", spelled(min, unit), spelled(max, unit));
}

}  // namespace weir
