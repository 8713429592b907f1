#include "cli/views/version_view.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/iso8601.hpp"
#include "base/sha256.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/times.hpp"

namespace weir::cli {
namespace {

std::string plugins_of(const VersionReport& version) {
  std::string text;
  for (const std::string& sha256 : version.plugins)
    text += (text.empty() ? "" : " ") + short_hash(sha256);
  return text;
}

}  // namespace

std::string version_state(const VersionReport& version) {
  if (version.takes_starts) return "takes new runs";
  if (version.safe_to_remove) return "safe to remove";
  return version.adopted_by ? fmt::format("moves to {}", *version.adopted_by) : "in use";
}

Json version_json(const VersionReport& version) {
  std::vector<Json> plugins;
  for (const std::string& sha256 : version.plugins) plugins.push_back(Json::string(sha256));
  return Json::object(std::vector<std::pair<std::string, Json>>{
      {"version", Json::number(version.number)},
      {"module", Json::string(version.module)},
      {"fingerprint", Json::string(version.fingerprint)},
      {"created_at", Json::string(iso8601(version.created_at))},
      {"open_runs", Json::number(version.open_runs)},
      {"workers", Json::number(version.workers)},
      {"quarantined", Json::number(version.quarantined)},
      {"plugins", Json::array(plugins)},
      {"adopted_by", version.adopted_by ? Json::number(*version.adopted_by) : Json()},
      {"takes_starts", Json::boolean(version.takes_starts)},
      {"safe_to_remove", Json::boolean(version.safe_to_remove)}});
}

std::string versions_text(std::span<const VersionReport> versions, Time now,
                          const Terminal& terminal) {
  Table table({{"VERSION", Table::Column::right},
               {"FINGERPRINT", Table::Column::whole},
               {"SINCE", Table::Column::whole},
               {"OPEN RUNS", Table::Column::right},
               {"WORKERS", Table::Column::right},
               {"STATE", Table::Column::whole},
               {"PLUGIN"}});
  for (const VersionReport& version : versions)
    table.add({{fmt::format("{}", version.number), Tone::strong},
               {short_hash(version.fingerprint), Tone::faint},
               {shown_age(now - version.created_at)},
               {fmt::format("{}", version.open_runs)},
               {fmt::format("{}", version.workers)},
               {version_state(version), version.takes_starts     ? Tone::good
                                        : version.safe_to_remove ? Tone::faint
                                                                 : Tone::busy},
               {plugins_of(version), Tone::faint}});
  return table.text(terminal);
}

std::string adoption_text(int from, const Adoption& adoption) {
  std::string text = fmt::format("version {}: {} open run{} moved to version {}", from,
                                 adoption.moved, adoption.moved == 1 ? "" : "s", adoption.version);
  if (adoption.held > 0)
    text += fmt::format(", {} when a worker releases {}", adoption.held,
                        adoption.held == 1 ? "it" : "them");
  return text + '\n';
}

Json adoption_json(int from, const Adoption& adoption) {
  return Json::object(
      std::vector<std::pair<std::string, Json>>{{"from", Json::number(from)},
                                                {"to", Json::number(adoption.version)},
                                                {"moved", Json::number(adoption.moved)},
                                                {"held", Json::number(adoption.held)}});
}

}  // namespace weir::cli
