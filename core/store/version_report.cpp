#include "store/version_report.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir {
namespace {

// "3 open runs and new ones wait", "new runs wait"
std::string who_waits(const VersionReport& version) {
  if (version.open_runs == 0) return "new runs wait";
  return fmt::format("{} open run{}{} wait{}", version.open_runs, version.open_runs == 1 ? "" : "s",
                     version.takes_starts ? " and new ones" : "",
                     version.open_runs == 1 && !version.takes_starts ? "s" : "");
}

// `other`: a version that some worker has.
std::string why(const VersionReport& version, const VersionReport* other) {
  if (version.quarantined > 0)
    return "whose plugin is in quarantine (weir plugins list says why and until when)";
  if (other == nullptr) return "which no live worker has (start weir serve with its plugin)";
  return fmt::format(
      "which no live worker has (install its plugin again, or move them: weir flows "
      "adopt {} --from {} --to {})",
      version.flow, version.number, other->number);
}

// Of one flow.
void add_waiting(std::span<const VersionReport> versions, std::vector<WaitingVersion>& found) {
  const auto loaded = [](const VersionReport& each) { return each.workers + each.quarantined > 0; };
  const auto other = std::ranges::find_if(versions, loaded);
  for (const VersionReport& version : versions) {
    const bool is_missed =
        version.open_runs > 0 || (version.takes_starts && other != versions.end());
    if (version.workers > 0 || !is_missed) continue;
    found.push_back(
        {version.flow, version.number,
         fmt::format("flow {}: {} for version {}, {}", version.flow, who_waits(version),
                     version.number, why(version, other == versions.end() ? nullptr : &*other))});
  }
}

}  // namespace

const VersionReport* find_version(std::span<const VersionReport> versions, std::string_view flow,
                                  std::string_view fingerprint) {
  const auto found = std::ranges::find_if(versions, [&](const VersionReport& each) {
    return each.flow == flow && each.fingerprint == fingerprint;
  });
  return found == versions.end() ? nullptr : &*found;
}

std::vector<WaitingVersion> waiting_versions(std::span<const VersionReport> versions) {
  std::vector<WaitingVersion> found;
  for (auto first = versions.begin(); first != versions.end();) {
    const auto end = std::find_if(
        first, versions.end(), [&](const VersionReport& each) { return each.flow != first->flow; });
    add_waiting({first, end}, found);
    first = end;
  }
  return found;
}

}  // namespace weir
