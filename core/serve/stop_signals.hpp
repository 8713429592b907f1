#pragma once
#include <atomic>

#include "base/file_descriptor.hpp"

namespace weir {

/// Makes SIGTERM and SIGINT readable from a descriptor. From then to the end of the process they
/// are blocked in this thread and in every thread that starts later: make it before any other
/// thread starts.  [one thread, unless a member says otherwise]
class StopSignals {
 public:
  StopSignals();

  /// Readable when a signal has arrived that count() has not counted.
  int fd() const noexcept { return fd_.fd(); }

  /// How many signals have arrived since the object was made.
  int count() noexcept;

  /// Whether count() has counted one.  [any thread]
  bool any() const noexcept { return count_.load(std::memory_order_relaxed) > 0; }

 private:
  FileDescriptor fd_;
  std::atomic<int> count_ = 0;  // written by one thread; relaxed: no data is passed with it
};

}  // namespace weir
