#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/slug.hpp"

namespace weir {

/// D4. `wait` and `flow` can be described, but this version runs neither; build() refuses them by name.
enum class StepKind { single, map, wait, flow };

std::string_view name(StepKind kind) noexcept;

/// How a step is tried (D3). Whole milliseconds, as manifests write them.
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
  std::optional<std::int64_t> max_attempts, base_delay_ms, max_delay_ms, timeout_ms, start_delay_ms,
      max_output_bytes;
  friend bool operator==(const OptionOverrides&, const OptionOverrides&) = default;
};

/// An option's name, range and unit, once for manifests, configuration, schemas and messages.
struct OptionRule {
  std::string_view name;  ///< as in manifests: "timeout_ms"
  std::optional<std::int64_t> OptionOverrides::*member;
  std::int64_t min, max;
  bool step_only;  ///< start_delay: means nothing for a whole flow
};
inline constexpr std::int64_t day_ms = 86'400'000;
inline constexpr std::array<OptionRule, 6> option_rules = {{
    {"max_attempts", &OptionOverrides::max_attempts, 1, 1'000, false},
    {"base_delay_ms", &OptionOverrides::base_delay_ms, 0, day_ms, false},
    {"max_delay_ms", &OptionOverrides::max_delay_ms, 0, 365 * day_ms, false},
    {"timeout_ms", &OptionOverrides::timeout_ms, 1, 30 * day_ms, false},
    {"start_delay_ms", &OptionOverrides::start_delay_ms, 0, 365 * day_ms, true},
    {"max_output_bytes", &OptionOverrides::max_output_bytes, 1, 256 * 1024 * 1024, false},
}};

/// `options` with every present override in place; ranges are the caller's to check (option_rules).
StepOptions overridden(StepOptions options, const OptionOverrides& overrides);

/// A definition as somebody wrote it: names unchecked, dependencies by name, options as far as given.
struct FlowDraft {
  struct Step {
    std::string slug;
    std::string kind = "single";
    std::vector<std::string> depends_on;
    OptionOverrides options;
  };
  std::string module;
  std::string slug;
  OptionOverrides options;
  std::vector<Step> steps;
  std::optional<Json> input_schema;
};

struct StepDefinition {
  Slug slug;
  StepKind kind;
  std::vector<std::size_t> depends_on;  ///< positions in FlowDefinition::steps, ascending, all smaller than its own
  std::vector<std::size_t> dependents;  ///< likewise, all greater
  StepOptions options;
};

/// A flow that keeps every rule of D1 to D5. Immutable.  [any thread]
///
/// Steps stand in canonical order: dependencies first, ties by slug. So a step's position, which is its
/// number in the journal, depends on the definition alone, not on the order it was written in.
class FlowDefinition {
 public:
  static constexpr std::size_t steps_max = 1'024;

  /// Checks everything and reports all faults at once (D5). Errors: invalid_definition; kinds
  /// bad_module_name, bad_slug, duplicate_step, unknown_dependency, self_dependency,
  /// duplicate_dependency, cycle, map_dependencies, option_out_of_range, unknown_kind,
  /// unsupported_kind, no_steps, too_many_steps, bad_input_schema.
  static std::expected<FlowDefinition, Faults> build(const FlowDraft& draft);

  const ModuleName& module() const noexcept { return module_; }
  const Slug& slug() const noexcept { return slug_; }
  const std::vector<StepDefinition>& steps() const noexcept { return steps_; }
  const std::optional<Json>& input_schema() const noexcept { return input_schema_; }

  /// SHA-256 of canonical(), 64 hex digits (D6). The module's name is not part of it.
  const std::string& fingerprint() const noexcept { return fingerprint_; }

  /// Canonical form: JSON, keys sorted, every option written out.
  const Json& canonical() const noexcept { return canonical_; }

  /// Position of a step, nullopt when there is none of that name.
  std::optional<std::size_t> find(std::string_view step_slug) const noexcept;

  /// Whether the input must be an array because a map stands at the root (S3).
  bool maps_over_input() const noexcept;

 private:
  FlowDefinition(ModuleName module, Slug slug) : module_(std::move(module)), slug_(std::move(slug)) {}

  ModuleName module_;
  Slug slug_;
  std::vector<StepDefinition> steps_;
  std::optional<Json> input_schema_;
  Json canonical_;
  std::string fingerprint_;
};

}  // namespace weir
