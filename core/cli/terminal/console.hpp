#pragma once
#include <string_view>

#include "base/error.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/terminal.hpp"

namespace weir::cli {

/// The two streams of a command: results go to stdout, everything about them to stderr.
class Console {
 public:
  Console();

  const Terminal& out() const noexcept { return out_; }
  const Terminal& err() const noexcept { return err_; }

  /// To stdout as it stands.
  void print(std::string_view text);

  /// "weir: note: …", a line on stderr.
  void note(std::string_view text);
  void warn(std::string_view text);

  /// "weir: error: message (hint)", and the exit code that says the same.
  ExitCode fail(const Error& error);

  /// Faults of flows.yaml: those that point into it are printed as they are.
  ExitCode fail(const Faults& faults);

  /// A line on stderr as it stands.
  void say(std::string_view text);

  /// Whether everything printed has left the program: a full disk or a closed pipe is an error.
  Result<void> flush();

 private:
  void tell(Tone tone, std::string_view severity, std::string_view text);

  Terminal out_;
  Terminal err_;
  int lost_ = 0;  // errno of the first write to stdout that failed
};

}  // namespace weir::cli
