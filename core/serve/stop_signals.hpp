#pragma once
#include "base/file_descriptor.hpp"

namespace weir {

/// Makes SIGTERM and SIGINT readable from a descriptor. From then to the end of the process they
/// are blocked in this thread and in every thread that starts later: make it before any other
/// thread starts.  [one thread]
class StopSignals {
 public:
  StopSignals();

  /// Readable when a signal has arrived that count() has not counted.
  int fd() const noexcept { return fd_.fd(); }

  /// How many signals have arrived since the object was made.
  int count() noexcept;

 private:
  FileDescriptor fd_;
  int count_ = 0;
};

}  // namespace weir
