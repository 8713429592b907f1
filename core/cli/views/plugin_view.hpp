#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"
#include "cli/terminal/terminal.hpp"
#include "store/reported_plugin.hpp"

namespace weir::cli {

/// A plugin file: what is in a folder of the configuration, what live processes say of it, or both.
struct ShownPlugin {
  std::string path{};
  std::string sha256{};
  std::string plugin{}, version{};
  std::vector<std::string> flows{};
  std::string state{};  ///< of processes; or "sound", "refused": what the file alone shows
  bool isolated = false;
  bool in_folder = false;
  std::size_t processes = 0;  ///< live ones that say so
  std::string kind{}, detail{}, hint{};
  std::optional<Time> until{};
};

/// Joins the files of the folders with reports: a row for each file, content and state. A file that
/// a process reports with the same content is shown as the process says.
std::vector<ShownPlugin> joined(std::vector<ShownPlugin> in_folders,
                                std::span<const ReportedPlugin> reported);

/// {"path","sha256","plugin","version","flows","state","isolated","in_folder","processes","kind",
/// "detail","hint","until"}; what is not known is null.
Json plugin_json(const ShownPlugin& plugin);

/// A table, a plugin a line.
std::string plugins_text(std::span<const ShownPlugin> plugins, const Terminal& terminal);

/// Why it is neither live nor former: "PATH: KIND: detail (hint)"; empty for others.
std::string why(const ShownPlugin& plugin);

}  // namespace weir::cli
