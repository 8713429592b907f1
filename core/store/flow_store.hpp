#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "definition/flow_definition.hpp"
#include "definition/flow_limits.hpp"
#include "run/ids.hpp"
#include "store/version_report.hpp"

namespace weir {

/// A version that a worker has.
struct ServedVersion {
  std::optional<PluginId> plugin{};  ///< nullopt: built into the program
  bool barred = false;               ///< its plugin is in quarantine: none of its runs is begun
  bool offered = true;  ///< new runs may take it (V5); false: it is there for open runs only
  /// A step with which every run begins at once: see ExchangeRequest::begins_max.
  std::optional<std::size_t> first_step = {};
  friend bool operator==(const ServedVersion&, const ServedVersion&) = default;
};

/// What a process that has the code of flows requests of a database for them.
///
/// Errors of every call: unavailable; others are listed with the call.  [as the WorkerStore it is
/// part of]
class FlowStore {
 public:
  virtual ~FlowStore() = default;

  /// The number of a definition's version, new or known (D6, D7). Errors: conflict (a slug that
  /// differs only in case).
  virtual Result<VersionId> register_version(const FlowDefinition& definition) = 0;
  virtual Result<PluginId> register_plugin(const std::string& sha256, const std::string& path) = 0;

  /// Sets a flow's limits from flows.yaml (C6): they apply to all workers from now on. They replace
  /// limits that were set by command, if flows.yaml has any. Errors: not_found for the flow.
  virtual Result<void> set_limits(const std::string& flow, const FlowLimits& limits) = 0;

  /// Reports which versions the worker has from now on: starts take those that are offered (V5),
  /// and people inspect them (V4). Which ones it claims is up to exchange().
  virtual Result<void> serve_versions(WorkerId worker,
                                      const std::map<VersionId, ServedVersion>& versions) = 0;

  /// Moves the open runs of all older versions of its flow to this one, where the two are
  /// compatible (V3). Returns only those that had open runs and were not adopted before.
  virtual Result<std::vector<AdoptedVersion>> adopt_older(VersionId version) = 0;
};

}  // namespace weir
