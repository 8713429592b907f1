#pragma once
#include <string>

#include "base/error.hpp"
#include "bench/engine/figures.hpp"

namespace weir::bench {

/// Runs a shell command and reads the figures in the last line that it prints: a JSON object with
/// per_s, pg_cpu_us, client_cpu_us, wal_b, commits, noise_cores, p50_ms, p99_ms, p999_ms, as far as
/// it has them. Errors: unavailable.
Result<Figures> figures_of_program(const std::string& command);

}  // namespace weir::bench
