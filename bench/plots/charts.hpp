#pragma once
#include "bench/plots/bar_chart.hpp"
#include "bench/plots/measured.hpp"

namespace weir::bench {

// A chart of what was not measured has no groups.

/// Tasks a second of every side, by work.
BarChart throughput_chart(const Results& results);

/// p50, p99 and p99.9 of every side, by work.
BarChart latency_chart(const Results& results);

/// What a task costs beside finished runs: processor time, WAL, buffers.
BarChart history_chart(const Results& results);

}  // namespace weir::bench
