#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"
#include "cli/terminal/terminal.hpp"
#include "store/reported_plugin.hpp"
#include "store/version_report.hpp"

namespace weir::cli {

/// A plugin file as found in a folder of the configuration, as reported by live processes, or both.
struct ShownPlugin {
  std::string path{};
  std::string sha256{};
  std::string plugin{}, version{};
  std::vector<std::string> flows{};
  std::vector<std::string> not_served{};  ///< those of `flows` that no live worker has taken over
  std::string state{};  ///< as processes report it; or "sound" or "refused", from the file alone
  bool isolated = false;
  bool in_folder = false;
  std::size_t processes = 0;  ///< how many live processes report this
  std::string kind{}, detail{}, hint{};
  std::optional<Time> until{};
  /// Former: deferred calls that keep its code loaded, in all processes.
  std::int64_t pending_calls = 0;
};

/// Joins the files of the folders with reports: a row for each file, content and state. A file that
/// a process reports with the same content is shown as the process reports it.
std::vector<ShownPlugin> joined(std::vector<ShownPlugin> in_folders,
                                std::span<const ReportedPlugin> reported);

/// Finds the flows of live plugins that no live worker has, such as one whose slug the database
/// refused. `versions` are those of all flows.
void mark_not_served(std::span<ShownPlugin> plugins, std::span<const VersionReport> versions);

/// {"path","sha256","plugin","version","flows","not_served","state","isolated","in_folder","processes","kind",
/// "detail","hint","until","pending_calls"}; unknown values are null.
Json plugin_json(const ShownPlugin& plugin);

/// A table with one line per plugin.
std::string plugins_text(std::span<const ShownPlugin> plugins, const Terminal& terminal);

/// The reason if it is neither live nor former: "PATH: KIND: detail (hint)"; and how many deferred
/// calls keep a former one loaded; else empty.
std::string why(const ShownPlugin& plugin);

}  // namespace weir::cli
