#pragma once
#include <vector>

#include "cli/command_line/command.hpp"
#include "cli/terminal/console.hpp"
#include "config/config.hpp"
#include "store/reported_plugin.hpp"
#include "store/version_report.hpp"

namespace weir::cli {

/// What live processes report; nothing when no database is named and no private one runs here, or
/// when it has no schema. Starts no database and changes nothing in it. What cannot
/// be read is a note on stderr.
std::vector<ReportedPlugin> live_plugins(const Config& config, const Globals& globals,
                                         Console& console);

/// All versions that the database knows, as waiting_versions() takes them; otherwise the same.
std::vector<VersionReport> live_versions(const Config& config, const Globals& globals,
                                         Console& console);

}  // namespace weir::cli
