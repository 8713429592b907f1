#pragma once
#include <cstddef>

namespace weir {

/// The present capacity of a worker, by which sharing decides.
struct Capacity {
  std::size_t slots = 1;
  std::size_t blocked = 0;    ///< how many of them run a long task
  std::size_t window = 1;     ///< how many attempts it wants to have in flight
  std::size_t in_flight = 0;  ///< how many it has in flight
  std::size_t due = 0;        ///< tasks of its own runs that it could start
  double task_seconds = 1.0;  ///< how long a task takes
};

}  // namespace weir
