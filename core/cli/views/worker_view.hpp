#pragma once
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/time.hpp"
#include "cli/terminal/terminal.hpp"
#include "store/run_store.hpp"

namespace weir::cli {

/// A table, a worker a line. `now` is what ages are counted from.
std::string workers_text(std::span<const WorkerReport> workers, Time now, const Terminal& terminal);

Json worker_json(const WorkerReport& worker);

/// alive, or how it ended: left, lapsed, crashed. lapsed also while nobody has swept it.
std::string_view worker_state(const WorkerReport& worker) noexcept;

}  // namespace weir::cli
