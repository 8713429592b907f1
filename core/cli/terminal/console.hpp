#pragma once
#include <string_view>

#include "base/error.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/terminal.hpp"

namespace weir::cli {

/// The two streams of a command: results go to stdout, messages about them to stderr.
class Console {
 public:
  Console();

  const Terminal& out() const noexcept { return out_; }
  const Terminal& err() const noexcept { return err_; }

  /// Prints to stdout, unchanged.
  void print(std::string_view text);

  /// Prints "weir: note: …", a line on stderr, with control characters escaped, as fail() does.
  void note(std::string_view text);
  void warn(std::string_view text);

  /// Prints "weir: error: message (hint)" on stderr, and returns the exit code for the error.
  ExitCode fail(const Error& error);

  /// The same for faults of flows.yaml: those that point into it are printed unchanged.
  ExitCode fail(const Faults& faults);

  /// Prints a line on stderr, unchanged.
  void print_err(std::string_view text);

  /// Flushes stdout. A full disk or a closed pipe is an error, also if an earlier print met it.
  Result<void> flush();

 private:
  void print_message(Tone tone, std::string_view severity, std::string_view text);

  Terminal out_;
  Terminal err_;
  int write_error_ = 0;  // errno of the first write to stdout that failed
};

}  // namespace weir::cli
