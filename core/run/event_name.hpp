#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace weir {

/// What can happen to a run or to a step of one (E1).
enum class EventKind { started, completed, failed, cancelled, skipped };

/// "run:started"; "step:pay:completed" for a step of that slug. No other code writes these
/// names, except weir.cancel_runs in SQL: run:cancelled, of runs that no worker holds.
std::string event_name(EventKind kind, std::optional<std::string_view> step = std::nullopt);

}  // namespace weir
