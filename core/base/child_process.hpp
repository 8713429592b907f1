#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/process_handle.hpp"

namespace weir {

/// A program to run as a child, and all that it gets from us: nothing else does it inherit.
struct ChildCommand {
  /// A descriptor of this process, and the number under which the child finds it.
  struct Inherited {
    int fd;
    int as;
  };

  std::filesystem::path program = "/proc/self/exe";  ///< by default another face of this very one
  std::vector<std::string> arguments = {};           ///< after the name
  std::vector<Inherited> inherited = {};
  std::vector<std::string> environment = {};  ///< "NAME=value"; nothing of ours goes along
  bool quiet = false;  ///< its stdout and stderr lead to /dev/null, not to ours
};

/// A child in a process group of its own: the terminal's signals do not reach it, and it can be
/// killed with all that it started (unless that made itself a group). Its stdin is /dev/null, its
/// signals are neither blocked nor ignored.  [one thread at a time]
///
/// It does not end with this process by itself: what it runs calls end_with_parent().
class ChildProcess {
 public:
  /// Errors: unavailable, kind "no_process".
  static Result<ChildProcess> start(const ChildCommand& command);

  ChildProcess(ChildProcess&& other) noexcept
      : process_(std::move(other.process_)), end_(other.end_), reaped_(other.reaped_) {
    other.reaped_ = true;
  }
  ChildProcess& operator=(ChildProcess&&) = delete;

  /// Kills what is left of it.
  ~ChildProcess();

  pid_t pid() const noexcept { return process_.pid(); }

  /// Readable once it has ended; stays this object's.
  int pidfd() const noexcept { return process_.pidfd(); }

  /// How it ended; nullopt when it has not within `patience`. Once it has, always the same. What it
  /// started and left behind in its group is killed then.
  std::optional<ProcessEnd> wait(std::chrono::milliseconds patience);

  /// To it alone.
  void signal(int number) const noexcept;

  /// Kills it and everything of its group, and waits for it.
  ProcessEnd kill();

 private:
  explicit ChildProcess(ProcessHandle process) : process_(std::move(process)) {}

  ProcessHandle process_;
  std::optional<ProcessEnd> end_;
  bool reaped_ = false;  // its number may be somebody else's
};

/// In a build with sanitizers, variables for a child whose end tells something and which may start
/// no process: a signal ends it as it would without them, and it looks for no leaks when it exits,
/// which takes a process. None in other builds.
std::vector<std::string> sanitizer_variables();

/// For the first lines of a child: it is killed when the thread that started it ends, and so with
/// its process; that thread must be one that lasts. Ends at once when `parent` has ended already.
void end_with_parent(pid_t parent) noexcept;

}  // namespace weir
