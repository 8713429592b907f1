#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/process_handle.hpp"

namespace weir {

/// A program to run as a child process. It inherits only what is listed here.
struct ChildCommand {
  /// A descriptor of this process, and the number it has in the child.
  struct Inherited {
    int fd;
    int as;
  };

  /// By default this program itself.
  std::filesystem::path program = "/proc/self/exe";
  std::vector<std::string> arguments = {};  ///< after the name
  std::vector<Inherited> inherited = {};
  /// "NAME=value"; the variables of this process are not passed on.
  std::vector<std::string> environment = {};
  bool quiet = false;  ///< the child's stdout and stderr are /dev/null instead of this process's
};

/// A child in a process group of its own: signals from the terminal do not reach it, and it can be
/// killed together with every process it started, except those that moved to another group: a child
/// that runs code of others is not allowed to start any (forbid_new_processes()). Its stdin is
/// /dev/null, its signals are neither blocked nor ignored.  [one thread at a time]
///
/// It does not end automatically with this process: for that, the program it runs must call
/// end_with_parent().
class ChildProcess {
 public:
  /// Errors: unavailable, kind "no_process".
  static Result<ChildProcess> start(const ChildCommand& command);

  ChildProcess(ChildProcess&& other) noexcept
      : process_(std::move(other.process_)), end_(other.end_), reaped_(other.reaped_) {
    other.reaped_ = true;
  }
  ChildProcess& operator=(ChildProcess&&) = delete;

  /// Kills the child and its group, unless the child has been reaped.
  ~ChildProcess();

  pid_t pid() const noexcept { return process_.pid(); }

  /// Readable once the child has ended; owned by this object.
  int pidfd() const noexcept { return process_.pidfd(); }

  /// How the child ended; nullopt when it has not ended within `patience`. Later calls return the
  /// same. Once it has ended, the processes left in its group are killed.
  std::optional<ProcessEnd> wait(std::chrono::milliseconds patience);

  /// Sends a signal to the child alone, not to its group.
  void signal(int number) const noexcept;

  /// Kills the child, wherever it moved, and the group that it had, and waits for its end. One that
  /// has not ended after `patience`, because the kernel keeps it, is taken for ended.
  ProcessEnd kill(std::chrono::milliseconds patience = std::chrono::seconds(10));

 private:
  explicit ChildProcess(ProcessHandle process) : process_(std::move(process)) {}

  ProcessHandle process_;
  std::optional<ProcessEnd> end_;
  bool reaped_ = false;  // then its process id may have been reused
};

/// In a build with sanitizers: environment variables for a child whose end is examined and which
/// may not start processes. With them a signal ends the child as in any other build, and the leak
/// check at exit, which would start a process, is off. Empty in other builds.
std::vector<std::string> sanitizer_variables();

/// Call this first in a child: the child is then killed when the thread that started it ends, and
/// so also when that process ends. Start such a child from a thread that lasts. Ends the child at
/// once when `parent` has already ended.
void end_with_parent(pid_t parent) noexcept;

}  // namespace weir
