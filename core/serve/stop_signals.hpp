#pragma once
#include <atomic>
#include <chrono>
#include <optional>

#include "base/file_descriptor.hpp"
#include "base/time.hpp"

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

  /// By when what a signal requested must be done: `drain` and `grace` after count() has counted the
  /// first, and not later than `grace` after the second; nullopt before the first.
  std::optional<Steady> end_by(std::chrono::milliseconds drain,
                               std::chrono::milliseconds grace) const noexcept;

  /// Whether count() has counted one.  [any thread]
  bool any() const noexcept { return count_.load(std::memory_order_relaxed) > 0; }

 private:
  FileDescriptor fd_;
  std::atomic<int> count_ = 0;  // written by one thread; relaxed: no data is passed with it
  std::optional<Steady> first_{}, second_{};  // when they were counted
};

}  // namespace weir
