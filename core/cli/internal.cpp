#include "cli/internal.hpp"

#include <array>
#include <string_view>

#include "cli/log.hpp"
#include "cli/terminal/console.hpp"
#include "isolated/child_main.hpp"
#include "plugin/scan_child.hpp"
#include "serve/worker_main.hpp"

namespace weir::cli {
namespace {

struct InternalCommand {
  std::string_view name;
  int (*run)(const std::vector<std::string>& arguments);  // those after the name
};

int isolate(const std::vector<std::string>&) { run_isolated_child(); }
int work(const std::vector<std::string>&) {
  Console console;
  return run_worker_process(
      {.make_log = [&](const LogConfig& config) { return make_log(config, console.err()); },
       .fail = [&](const Error& error) { return static_cast<int>(console.fail(error)); }});
}
int scan(const std::vector<std::string>& arguments) { scan_as_child(arguments); }

constexpr std::array<InternalCommand, 3> internal_commands = {
    {{"isolate", isolate}, {"scan", scan}, {"work", work}}};

}  // namespace

std::optional<int> run_internal(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2 || arguments.front() != "internal") return std::nullopt;
  for (const InternalCommand& command : internal_commands)
    if (command.name == arguments[1]) return command.run({arguments.begin() + 2, arguments.end()});
  return std::nullopt;
}

}  // namespace weir::cli
