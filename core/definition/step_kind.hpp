#pragma once
#include <optional>
#include <string_view>

namespace weir {

/// The kind of a step (D4). Only single and map steps have code.
enum class StepKind { single, map, wait, flow };

/// Whether a step of that kind runs code of the plugin: single and map.
constexpr bool has_code(StepKind kind) noexcept {
  return kind == StepKind::single || kind == StepKind::map;
}

/// "single", "map", "wait", "flow".
std::string_view name(StepKind kind) noexcept;

/// The kind of that name, in lower case only.
std::optional<StepKind> step_kind(std::string_view name) noexcept;

}  // namespace weir
