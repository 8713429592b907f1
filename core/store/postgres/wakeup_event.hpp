#pragma once
#include <chrono>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"

namespace weir::postgres {

/// Lets another thread end a wait for a socket.
class WakeupEvent {
 public:
  /// Errors: unavailable, kind "out_of_descriptors".
  static Result<WakeupEvent> make();

  /// Ends the current wait, or the next one.  [any thread]
  void wake() noexcept;

  /// Returns when `socket` can be read (true; a negative one means no socket), when wake() was
  /// called since the last wait, or after `limit`.
  bool wait(int socket, std::chrono::milliseconds limit);

 private:
  explicit WakeupEvent(FileDescriptor event) : event_(std::move(event)) {}
  FileDescriptor event_;
};

}  // namespace weir::postgres
