#pragma once
#include <chrono>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"

namespace weir::postgres {

/// What ends the wait for a socket from another thread.
class Doorbell {
 public:
  /// Errors: unavailable, kind "out_of_descriptors".
  static Result<Doorbell> make();

  /// Ends the wait that is under way, or the next one.  [any thread]
  void ring() noexcept;

  /// Returns when `socket` can be read (true; negative: there is none), when it was rung since the
  /// last wait, or after `limit`.
  bool wait(int socket, std::chrono::milliseconds limit);

 private:
  explicit Doorbell(FileDescriptor bell) : bell_(std::move(bell)) {}
  FileDescriptor bell_;
};

}  // namespace weir::postgres
