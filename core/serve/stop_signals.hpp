#pragma once
#include "base/file_descriptor.hpp"

namespace weir {

/// SIGTERM and SIGINT as something to be read. From its beginning to the end of the process they
/// are kept from this thread and every thread that begins after: make it before the first other
/// thread.  [one thread]
class StopSignals {
 public:
  StopSignals();

  /// Readable when one came that count() has not seen.
  int fd() const noexcept { return fd_.fd(); }

  /// How many came since the beginning.
  int count() noexcept;

 private:
  FileDescriptor fd_;
  int count_ = 0;
};

}  // namespace weir
