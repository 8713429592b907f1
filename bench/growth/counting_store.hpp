#pragma once
#include <cstddef>
#include <memory>

#include "store/worker_store.hpp"

namespace weir::bench {

/// What the exchanges of a worker asked for and got.
struct ClaimCounts {
  std::size_t exchanges = 0;
  std::size_t claimed = 0;  ///< runs
  std::size_t missed = 0;   ///< runs that waited, and that others were claiming at that moment
};

/// A worker's store that counts; everything else is done by the store that it is given. `counts`
/// must outlive it, and is complete when the worker has ended.
std::unique_ptr<WorkerStore> counting(std::unique_ptr<WorkerStore> store, ClaimCounts& counts);

}  // namespace weir::bench
