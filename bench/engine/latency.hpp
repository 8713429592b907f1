#pragma once
#include <cstddef>
#include <string>

#include "bench/engine/figures.hpp"

namespace weir::bench {

/// From before the start to the first line of the handler: one run at a time on an idle system.
Figures idle_latency(const std::string& url, std::size_t runs);

/// The same while `per_s` runs a second are started for some seconds, in small batches by two
/// clients, by the clock: it counts from when the start was due, however late it was.
Figures latency_at(const std::string& url, double per_s);

}  // namespace weir::bench
