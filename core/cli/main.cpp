#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "cli/command_line/command_line.hpp"
#include "cli/internal.hpp"
#include "plugin/library_reaper.hpp"
#include "serve/interruptible.hpp"
#include "serve/unforeseen_error.hpp"
#include "store/postgres/call_watch.hpp"

namespace weir::cli {
namespace {

ExitCode run_command(const std::vector<std::string>& arguments, Console& console) {
  const auto read = parse_command_line(arguments);
  if (const Answer* const answer = std::get_if<Answer>(&read)) {
    if (answer->code == ExitCode::ok)
      console.print(answer->text);
    else
      std::fputs(answer->text.c_str(), stderr);
    return answer->code;
  }
  const CommandLine& line = std::get<CommandLine>(read);
  const postgres::CallWatch watch(std::chrono::seconds(3), [&](auto lasted, bool over) {
    if (!over)
      console.note(fmt::format("the database has not answered for {} s: still waiting",
                               std::chrono::floor<std::chrono::seconds>(lasted).count()));
  });
  return line.command.run(line.globals, console);
}

int main_of(const std::vector<std::string>& arguments) {
  if (const auto code = run_internal(arguments)) return *code;
  Console console;
  ExitCode code = ExitCode::failed;
  try {
    code = run_command(arguments, console);
  } catch (...) {
    code = console.fail(unforeseen_error());
  }
  if (const auto flushed = console.flush(); !flushed) code = console.fail(flushed.error());
  return static_cast<int>(code);
}

}  // namespace
}  // namespace weir::cli

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "");  // only for characters; the format of numbers does not change
  const int code =
      weir::cli::main_of(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  if (weir::has_left_thread_behind) {
    std::fflush(nullptr);
    std::_Exit(code);
  }
  weir::stop_unloading();
  return code;
}
