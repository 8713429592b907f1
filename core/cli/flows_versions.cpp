#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/version_view.hpp"

namespace weir::cli {

ExitCode run(const FlowsVersions& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto versions = opened->store->versions(command.slug);
  if (!versions) return console.fail(versions.error());
  if (command.json) {
    std::vector<Json> all;
    for (const VersionReport& version : *versions) all.push_back(version_json(version));
    console.print(fmt::format("{}\n", Json::array(all).text()));
  } else {
    const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    console.print(versions_text(*versions, now, console.out()));
  }
  return ExitCode::ok;
}

}  // namespace weir::cli
