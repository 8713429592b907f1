#pragma once
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/time.hpp"
#include "cli/terminal/terminal.hpp"
#include "store/run_store.hpp"

namespace weir::cli {

/// A table with one line per worker; ages are relative to `now`.
std::string workers_text(std::span<const WorkerReport> workers, Time now, const Terminal& terminal);

Json worker_json(const WorkerReport& worker);

/// alive, or how it ended: left, lapsed, crashed. It is lapsed even if it has not been swept yet.
std::string_view worker_state(const WorkerReport& worker) noexcept;

}  // namespace weir::cli
