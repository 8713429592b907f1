#include <algorithm>
#include <vector>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/effects.hpp"
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

Result<Effect> adopt(RunStore& store, const std::string& slug, int version, std::optional<int> to) {
  const auto adoption = store.adopt(slug, version, to);
  if (!adoption) return std::unexpected(adoption.error());
  return Effect{.line = adoption_text(version, *adoption),
                .json = adoption_json(version, *adoption)};
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
  Effects effects(command.json, console);
  for (const int version : from)
    effects.add(adopt(*opened->store, command.slug, version, command.to));
  return effects.end();
}

}  // namespace weir::cli
