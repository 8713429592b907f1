#include "serve/version_news.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace weir {

std::vector<VersionNews::Line> VersionNews::update(std::span<const RegisteredVersion> registered,
                                                   std::span<const VersionReport> versions) {
  std::vector<Line> lines;
  std::set<std::string> told;
  const auto tell = [&](std::string key, LogLevel level, std::string text) {
    if (!told_.contains(key)) lines.push_back({level, std::move(text)});
    told.insert(std::move(key));
  };
  for (const RegisteredVersion& mine : registered) {
    const VersionReport* const known = find_version(versions, mine.flow, mine.fingerprint);
    if (!mine.newest || known == nullptr) continue;
    const auto of_flow = [&](const VersionReport& each) { return each.flow == mine.flow; };
    const auto highest = std::ranges::find_if(versions, of_flow);
    const auto starts = std::ranges::find_if(
        versions, [&](const VersionReport& each) { return of_flow(each) && each.takes_starts; });
    if (starts == versions.end()) continue;
    if (starts->number != known->number)
      tell(fmt::format("starts {} {} {}", mine.flow, starts->number, known->number), LogLevel::info,
           fmt::format("flow {}: new runs take version {}; this process has version {}", mine.flow,
                       starts->number, known->number));
    else if (highest->number != known->number)
      tell(
          fmt::format("back {} {} {}", mine.flow, highest->number, known->number), LogLevel::info,
          fmt::format("flow {}: new runs take version {}, not version {}, which no live worker has "
                      "for new runs",
                      mine.flow, known->number, highest->number));
  }
  for (WaitingVersion& each : waiting_versions(versions))
    tell(fmt::format("waits {} {}", each.flow, each.number), LogLevel::warn, std::move(each.text));
  told_ = std::move(told);
  return lines;
}

}  // namespace weir
