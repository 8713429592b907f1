#include "definition/step_kind.hpp"

#include <array>
#include <cstddef>

namespace weir {
namespace {

constexpr std::array<std::string_view, 4> names = {"single", "map", "wait", "flow"};
static_assert(names.size() == static_cast<std::size_t>(StepKind::flow) + 1);

}  // namespace

std::string_view name(StepKind kind) noexcept { return names[static_cast<std::size_t>(kind)]; }

std::optional<StepKind> step_kind(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<StepKind>(i);
  return std::nullopt;
}

}  // namespace weir
