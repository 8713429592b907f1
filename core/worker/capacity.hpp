#pragma once
#include <cstddef>

namespace weir {

/// How much a worker can do just now: what sharing goes by.
struct Capacity {
  std::size_t slots = 1;
  std::size_t window = 1;     ///< how many attempts it wants to have under way
  std::size_t under_way = 0;  ///< how many it has
  std::size_t due = 0;        ///< tasks of its own runs that it could begin
  double task_seconds = 1.0;  ///< how long one takes
};

}  // namespace weir
