#pragma once
#include <optional>
#include <string_view>

namespace weir {

/// D4. `wait` and `flow` can be described, but this version runs neither; FlowDefinition::build
/// refuses them by name.
enum class StepKind { single, map, wait, flow };

/// "single", "map", "wait", "flow".
std::string_view name(StepKind kind) noexcept;

/// The kind of that name, in lower case only.
std::optional<StepKind> step_kind(std::string_view name) noexcept;

}  // namespace weir
