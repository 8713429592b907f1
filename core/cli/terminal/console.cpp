#include "cli/terminal/console.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "base/printable.hpp"

namespace weir::cli {

Console::Console() : out_(Terminal::of(STDOUT_FILENO)), err_(Terminal::of(STDERR_FILENO)) {}

void Console::print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) < text.size() && write_error_ == 0)
    write_error_ = errno;
}

void Console::print_err(std::string_view text) {
  // Text that was printed before this line must appear before it.
  if (std::fflush(stdout) != 0 && write_error_ == 0) write_error_ = errno;
  std::string line(text);
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void Console::print_message(Tone tone, std::string_view severity, std::string_view text) {
  print_err(fmt::format("weir: {} {}", painted(err_, tone, fmt::format("{}:", severity)),
                        printable(text, Newlines::indented)));
}

void Console::note(std::string_view text) { print_message(Tone::faint, "note", text); }
void Console::warn(std::string_view text) { print_message(Tone::busy, "warning", text); }

ExitCode Console::fail(const Error& error) {
  print_message(Tone::bad, "error", to_string(error));
  return exit_code(error.code);
}

ExitCode Console::fail(const Faults& faults) {
  for (const Error& fault : faults)
    if (fault.message.contains('\n'))
      print_err(printable(fault.message, Newlines::kept));
    else
      print_message(Tone::bad, "error", to_string(fault));
  return faults.front().code == ErrorCode::not_found ? ExitCode::usage
                                                     : exit_code(faults.front().code);
}

Result<void> Console::flush() {
  if (std::fflush(stdout) != 0 && write_error_ == 0) write_error_ = errno;
  if (write_error_ == 0) return {};
  return std::unexpected(Error{
      .code = ErrorCode::internal,
      .kind = "output_lost",
      .message = fmt::format("not all output could be written: {}", std::strerror(write_error_)),
      .hint = "the command itself was executed"});
}

}  // namespace weir::cli
