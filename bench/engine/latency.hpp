#pragma once
#include <cstddef>
#include <string>

#include "bench/engine/figures.hpp"

namespace weir::bench {

/// From before the start to the first line of the handler: one run at a time on an idle system.
Figures idle_latency(const std::string& url, std::size_t runs);

/// The same while `per_s` runs a second are started, in small batches by two clients, by the clock:
/// it counts from when the start was due, however late it was.
Figures latency_at(const std::string& url, double per_s, std::size_t runs);

/// The same while the worker is never without work: each of two clients starts the next 100 runs
/// once all but its last 300 have begun. So per_s is what one worker and its clients do together,
/// and a latency is mostly the time that up to 800 runs take.
Figures latency_at_full_load(const std::string& url, std::size_t runs);

}  // namespace weir::bench
