#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <string>

#include "bench/floor/database.hpp"

namespace weir::bench {

/// How far the connections are together.
struct Progress {
  std::atomic<std::size_t> tasks = 0, statements = 0;
};

/// A mode that drains work which waits in tables.
struct Drain {
  std::string mode;
  std::size_t runs = 0, tasks = 0;
  std::function<void(Database&)> prepare;  ///< the statements of a connection
  /// What a connection does until nothing is left to be done.
  std::function<void(Database&, const std::string& worker, const std::string& batch, Progress&)>
      work;
};

/// They put the runs into the tables.
Drain owned(Database& database, std::size_t steps, std::size_t runs);
Drain map_of_1000(Database& database, std::size_t runs);

/// Works off what waits, and prints one line of JSON.
void measure(Database& database, const Drain& drain, std::size_t batch, std::size_t connections,
             double start_seconds);

/// Commits a job on an idle queue, `count` times; prints how long it took, each time, until another
/// connection had claimed it.
void measure_latency(Database& database, std::size_t count);

}  // namespace weir::bench
