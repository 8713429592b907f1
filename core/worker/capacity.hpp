#pragma once
#include <cstddef>
#include <functional>
#include <set>

#include <weir/abi/plugin.h>

#include "run/ids.hpp"

namespace weir {

/// The present capacity of a worker, by which sharing decides.
struct Capacity {
  std::size_t slots = 1;
  std::size_t blocked = 0;       ///< how many of them run a long task
  std::size_t window = 1;        ///< how many attempts it wants to have in flight on slots
  std::size_t in_flight = 0;     ///< how many it has in flight on slots
  std::size_t due = 0;           ///< tasks of its own runs that it could start
  double task_seconds = 1.0;     ///< how long a task takes
  std::size_t due_for_room = 0;  ///< those of `due` that wait for room for deferred calls (A7)
  /// Whether a step defers its calls, which take none of the slots then.
  std::function<bool(const weir_step*)> defers = [](const weir_step*) { return false; };
  /// Versions of which it holds what waits for room: nothing more of them is taken.
  std::set<VersionId> crowded = {};
};

}  // namespace weir
