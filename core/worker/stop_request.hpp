#pragma once

namespace weir {

/// The request to a worker. It only ever changes to a later one in this list.
enum class StopRequest {
  none,
  drain,     ///< claim nothing more, finish what runs, release the rest
  stop_now,  ///< release everything immediately
};

}  // namespace weir
