#pragma once
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/slug.hpp"
#include "definition/fallback.hpp"
#include "definition/flow_draft.hpp"
#include "definition/step_kind.hpp"
#include "definition/step_options.hpp"

namespace weir {

/// Whether a step runs, and what happens when it does not run or does not complete.
struct StepConditions {
  /// Patterns that the run's input (for a root step) or the object of the completed dependencies'
  /// outputs must, or must not, contain, in the sense of PostgreSQL's @> (F7).
  std::optional<Json> only_if = {}, unless = {};
  Fallback when_unmet = Fallback::skip;
  Fallback when_exhausted = Fallback::fail;  ///< F5
};

struct StepDefinition {
  Slug slug;
  StepKind kind;
  /// Positions in FlowDefinition::steps, ascending, all smaller than the step's own.
  std::vector<std::size_t> depends_on;
  /// Positions in FlowDefinition::steps, ascending, all greater than the step's own.
  std::vector<std::size_t> dependents;
  StepOptions options;
  StepConditions conditions = {};
  std::string signal = {};         ///< of a wait: the name of the signal that ends it (C4)
  std::optional<Slug> child = {};  ///< of a flow step: the flow whose run it starts (C8)
};

/// A flow that keeps every rule of D1 to D5. Immutable.  [any thread]
///
/// Steps are in canonical order: dependencies first, ties by slug. So a step's position, which is
/// its number in the journal, depends on the definition alone, not on the order it was written in.
class FlowDefinition {
 public:
  static constexpr std::size_t steps_max = 1'024;

  /// Checks everything and reports all faults at once (D5), at most FaultList::reported_max. A cycle
  /// is printed whole, in the order the steps would run: `a → b → c → a` means that b waits for a;
  /// cycles that share no dependency are reported separately. Errors: invalid_definition; kinds
  /// bad_module_name, bad_slug, duplicate_step, unknown_dependency, self_dependency,
  /// duplicate_dependency, cycle, map_dependencies, map_over_wait, flow_dependencies,
  /// endless_flow, option_out_of_range, misplaced_option, unknown_kind, unknown_fallback,
  /// condition_never_met, bad_signal, duplicate_signal, missing_flow, no_steps, too_many_steps,
  /// bad_input_schema.
  static std::expected<FlowDefinition, Faults> build(const FlowDraft& draft);

  const ModuleName& module() const noexcept { return module_; }
  const Slug& slug() const noexcept { return slug_; }
  const std::vector<StepDefinition>& steps() const noexcept { return steps_; }
  const std::optional<Json>& input_schema() const noexcept { return input_schema_; }

  /// SHA-256 of canonical(), 64 hex digits (D6).
  const std::string& fingerprint() const noexcept { return fingerprint_; }

  /// Canonical form: JSON without white space, keys sorted, steps in canonical order, their
  /// dependencies by slug, every option written out; conditions, fallbacks, signal and child flow
  /// only where they differ from the default. Not part of it: the module's name, and the input
  /// schema, which is checked when a run starts and does not affect how it continues.
  const Json& canonical() const noexcept { return canonical_; }

  /// Position of a step, nullopt when no step has exactly that name.
  std::optional<std::size_t> find(std::string_view step_slug) const noexcept;

  /// Whether the input must be an array because a step without dependencies is a map (S3).
  bool maps_over_input() const noexcept;

 private:
  FlowDefinition(ModuleName module, Slug slug)
      : module_(std::move(module)), slug_(std::move(slug)) {}

  ModuleName module_;
  Slug slug_;
  std::vector<StepDefinition> steps_;
  std::optional<Json> input_schema_;
  Json canonical_;
  std::string fingerprint_;
};

}  // namespace weir
