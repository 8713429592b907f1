#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "store/reported_plugin.hpp"
#include "store/version_report.hpp"

namespace weir {

/// What a process reports to a database of its plugin files, and what it has to know to retire
/// their code.
///
/// Errors of every call: unavailable.  [as the WorkerStore it is part of]
class PluginStore {
 public:
  virtual ~PluginStore() = default;

  /// All versions of these flows, by flow, the highest number first.
  virtual Result<std::vector<VersionReport>> versions_of(const std::vector<std::string>& flows) = 0;

  /// The slugs of all flows that have open runs.
  virtual Result<std::vector<std::string>> flows_with_open_runs() = 0;

  /// Replaces the process's report of its plugin files: an array of objects with the columns of
  /// weir.plugins; nullopt: the process ends. To be repeated once a minute: an older report is
  /// ignored.
  virtual Result<void> report_plugins(const ReportingProcess& process,
                                      const std::optional<Json>& plugins) = 0;
};

}  // namespace weir
