#pragma once
#include <map>
#include <string>
#include <vector>

namespace weir::bench {

/// What one round of a work has measured, by name; a name that was not measured is absent.
///   per_s                      tasks a second
///   server_us, client_us       processor time a task: of the server, of the worker's process
///   wal_bytes, commits         a task; commits are of transactions that wrote
///   buffers                    pages a task that the server read, in memory or not
///   rows_read, rows_written    a task, of Weir's tables
///   noise_cores                processors that others kept busy meanwhile: near 0 in a clean round
///   p50_ms, p99_ms, p999_ms    of latencies
using Figures = std::map<std::string, double>;

/// Of each name that any round has, the median.
Figures medians(const std::vector<Figures>& rounds);

Figures latency_figures(const std::vector<double>& milliseconds);

/// A JSON object.
std::string json_of(const Figures& figures);

}  // namespace weir::bench
