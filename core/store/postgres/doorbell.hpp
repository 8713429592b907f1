#pragma once
#include <chrono>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"

namespace weir::postgres {

/// Lets another thread end a wait for a socket.
class Doorbell {
 public:
  /// Errors: unavailable, kind "out_of_descriptors".
  static Result<Doorbell> make();

  /// Ends the current wait, or the next one.  [any thread]
  void ring() noexcept;

  /// Returns when `socket` can be read (true; a negative one means no socket), when ring() was
  /// called since the last wait, or after `limit`.
  bool wait(int socket, std::chrono::milliseconds limit);

 private:
  explicit Doorbell(FileDescriptor bell) : bell_(std::move(bell)) {}
  FileDescriptor bell_;
};

}  // namespace weir::postgres
