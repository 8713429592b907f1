#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/version_view.hpp"

namespace weir::cli {
namespace {

// Of those that somebody still works with: all but the one they are to go on with.
std::vector<int> with_open_runs(const std::vector<VersionReport>& versions, std::optional<int> to) {
  std::vector<int> numbers;
  for (const VersionReport& version : versions)
    if (version.open_runs > 0 && (to ? version.number != *to : !version.newest))
      numbers.push_back(version.number);
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace

ExitCode run(const FlowsAdopt& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  std::vector<int> from;
  if (command.from) {
    from = {*command.from};
  } else {
    const auto versions = opened->store->versions(command.slug);
    if (!versions) return console.fail(versions.error());
    from = with_open_runs(*versions, command.to);
    if (from.empty()) console.note("no other version has open runs");
  }
  std::vector<Json> done;
  ExitCode code = ExitCode::ok;
  for (const int version : from) {
    const auto adoption = opened->store->adopt(command.slug, version, command.to);
    if (!adoption) {
      code = console.fail(adoption.error());
      continue;
    }
    if (command.json)
      done.push_back(adoption_json(version, *adoption));
    else
      console.print(adoption_text(version, *adoption));
  }
  if (command.json) console.print(fmt::format("{}\n", Json::array(done).text()));
  return code;
}

}  // namespace weir::cli
