#pragma once
#include <chrono>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"

namespace weir {

/// How a child of this process ended.
struct ProcessEnd {
  bool by_signal = false;
  int number = 0;  ///< the signal, or the exit status
  bool ok() const noexcept { return !by_signal && number == 0; }
  friend bool operator==(const ProcessEnd&, const ProcessEnd&) = default;
};

/// "signal 11 (SIGSEGV)", "exit status 3"
std::string to_string(const ProcessEnd& end);

/// "SIGSEGV"; "signal 200" for what has no name.
std::string signal_name(int number);

/// Another process, held by a descriptor, so that a reused process id cannot stand for it.
class ProcessHandle {
 public:
  /// Errors: not_found, when there is no such process.
  static Result<ProcessHandle> open(pid_t pid);

  pid_t pid() const noexcept { return pid_; }

  /// Readable once the process has ended; owned by this object.
  int pidfd() const noexcept { return pidfd_.fd(); }

  /// True when the process has ended within `patience`. Does not reap a child of this process.
  bool has_ended(std::chrono::milliseconds patience) const noexcept;

  /// As has_ended(), and reaps a child of this process once it has ended.
  bool wait(std::chrono::milliseconds patience) const noexcept;

  /// As wait(), for a child of this process that has not been reaped yet: how it ended; nullopt
  /// when it has not ended.
  std::optional<ProcessEnd> reap(std::chrono::milliseconds patience) const noexcept;

  void signal(int number) const noexcept;

 private:
  ProcessHandle(pid_t pid, FileDescriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  FileDescriptor pidfd_;
};

}  // namespace weir
