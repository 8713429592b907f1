#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "client/client.hpp"

namespace weir::cli {
namespace {

ExitCode turn(const std::string& slug, bool pause, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  Client client = client_on(*opened->store);
  const auto turned = pause ? client.pause(slug) : client.resume(slug);
  if (!turned) return console.fail(turned.error());
  console.print(fmt::format(
      "{} {}{}\n", slug, *turned ? "" : "was ",
      pause ? (*turned ? "is paused: what runs ends, and nothing is begun" : "paused before")
            : (*turned ? "goes on" : "not paused")));
  return ExitCode::ok;
}

}  // namespace

ExitCode run(const FlowsPause& command, const Globals& globals, Console& console) {
  return turn(command.slug, true, globals, console);
}

ExitCode run(const FlowsResume& command, const Globals& globals, Console& console) {
  return turn(command.slug, false, globals, console);
}

}  // namespace weir::cli
