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

/// Another process, held so that its id cannot come to mean somebody else.
class ProcessHandle {
 public:
  /// Errors: not_found, when there is no such process.
  static Result<ProcessHandle> open(pid_t pid);

  pid_t pid() const noexcept { return pid_; }

  /// Readable once the process has ended; stays this object's.
  int pidfd() const noexcept { return pidfd_.fd(); }

  /// True when it has ended within `patience`. Leaves a child of this process unreaped.
  bool has_ended(std::chrono::milliseconds patience) const noexcept;

  /// As has_ended(); a child of this process is reaped then.
  bool wait(std::chrono::milliseconds patience) const noexcept;

  /// As wait(), for a child of this process that nobody reaped before: how it ended; nullopt when
  /// it has not.
  std::optional<ProcessEnd> reap(std::chrono::milliseconds patience) const noexcept;

  void signal(int number) const noexcept;

 private:
  ProcessHandle(pid_t pid, FileDescriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  FileDescriptor pidfd_;
};

}  // namespace weir
