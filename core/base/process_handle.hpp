#pragma once
#include <chrono>

#include <sys/types.h>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"

namespace weir::local {

/// Another process, held so that its id cannot come to mean somebody else.
class ProcessHandle {
 public:
  /// Errors: not_found, when there is no such process.
  static Result<ProcessHandle> open(pid_t pid);

  pid_t pid() const noexcept { return pid_; }

  /// Readable once the process has ended; stays this object's.
  int pidfd() const noexcept { return pidfd_.fd(); }

  /// True when it has ended within `patience`; a child of this process is reaped then.
  bool wait(std::chrono::milliseconds patience) const noexcept;

  void signal(int number) const noexcept;

 private:
  ProcessHandle(pid_t pid, FileDescriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  FileDescriptor pidfd_;
};

}  // namespace weir::local
