#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weir/client/run_report.hpp>
#include <weir/client/start_options.hpp>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "run/recorded_run.hpp"
#include "store/reported_plugin.hpp"
#include "store/version_report.hpp"

namespace weir {

/// A flow's version as the database knows it.
struct KnownFlow {
  std::string slug;
  int version = 1;
  std::string fingerprint;
  std::optional<Json> input_schema;
};

/// A row of weir.workers.
struct WorkerReport {
  std::int64_t id = 0;
  std::string host{};
  int pid = 0;
  std::int64_t slots = 0, in_flight = 0;
  std::int64_t runs = 0;  ///< how many it owns
  bool alive = false;
  Time started_at{}, lease_until{};
  std::optional<Time> ended_at{};
  std::string end_reason{};  ///< left, lapsed, crashed; empty while it is alive
};

/// What people and programs request of a database: to start, control and inspect runs. One object
/// is one session.
///
/// Errors of every call: unavailable; others are listed with the call.  [one thread at a time]
class RunStore {
 public:
  virtual ~RunStore() = default;

  /// Starts one run for each input, in one statement (S5). Errors: not_found with the nearest slug
  /// (S2), invalid_input (S3), conflict (a run id that exists), in_doubt (the connection broke
  /// during the call: repeat it only with the same keys or run ids).
  virtual Result<std::vector<StartedRun>> start(const std::string& flow,
                                                const std::vector<Json>& inputs,
                                                const StartOptions& options) = 0;

  /// Ends a run as cancelled (C1): immediately when no worker owns it, else as soon as its worker
  /// is notified; its children in the same way. False when it was over. Errors: not_found;
  /// invalid_input when `id` is not a UUID.
  virtual Result<bool> cancel(const std::string& id, const std::string& reason) = 0;

  /// Sends a signal to the wait step that names it, which may not have begun yet (C4). False when
  /// it was sent before. Errors: not_found for the run, or for the signal, naming those that the
  /// flow waits for; conflict, kind "run_over", when the run or the wait is over.
  virtual Result<bool> signal(const std::string& id, const std::string& name,
                              const Json& payload) = 0;

  /// Opens a failed or cancelled run again; it continues with the tasks that have no result (C3).
  /// Returns how many tasks are retried. Errors: not_found; conflict, kind "run_not_failed".
  virtual Result<std::int64_t> retry(const std::string& id) = 0;

  /// From now on no run of the flow is claimed, or runs are claimed again (C2). False when nothing
  /// changed. Errors: not_found with the nearest slug.
  virtual Result<bool> pause(const std::string& flow) = 0;
  virtual Result<bool> resume(const std::string& flow) = 0;

  /// Workers: live ones first, then the others, most recently ended first.
  virtual Result<std::vector<WorkerReport>> workers(std::int64_t count_max) = 0;

  /// The version of a flow that starts take (V5), or the given one. Errors: not_found with the nearest slug.
  virtual Result<KnownFlow> flow(const std::string& slug, std::optional<int> version) = 0;

  /// All versions of a flow, the highest number first (V4). Errors: not_found with the nearest
  /// slug.
  virtual Result<std::vector<VersionReport>> versions(const std::string& slug) = 0;

  /// All versions of all flows, by flow, the highest number first.
  virtual Result<std::vector<VersionReport>> all_versions() = 0;

  /// Moves the open runs of a version to another version, by default to that for new runs (V3): immediately,
  /// or when their worker releases them; later runs of the version too. Errors: not_found;
  /// conflict, kind "incompatible_version", naming the first difference; invalid_input when both
  /// versions are the same.
  virtual Result<Adoption> adopt(const std::string& slug, int from, std::optional<int> to) = 0;

  /// What processes with live workers report of their plugin files, by path, host and pid.
  virtual Result<std::vector<ReportedPlugin>> plugins() = 0;

  /// Runs that match, newest first. Errors: not_found for a flow this database does not know.
  virtual Result<std::vector<RunSummary>> runs(const RunFilter& filter) = 0;

  /// Errors: not_found; invalid_input when `id` is not a UUID.
  virtual Result<RunSummary> summary(const std::string& id) = 0;

  /// As summary(), with steps, and with input and outputs unless `with_values` is false, which is
  /// cheaper.
  virtual Result<RunReport> report(const std::string& id, bool with_values = true) = 0;

  /// A run with its definition and its journal. Errors: not_found; invalid_input when `id` is not a
  /// UUID.
  virtual Result<RecordedRun> recorded(const std::string& id) = 0;

  /// Those of these runs that are over, or that this database does not know: waiting for them can
  /// stop. One statement for all. Errors: invalid_input when one is not a UUID.
  virtual Result<std::vector<std::string>> over_among(const std::vector<std::string>& ids) = 0;

  /// How many workers have a valid lease.
  virtual Result<std::int64_t> workers_alive() = 0;

  /// For people: "15.18".
  virtual Result<std::string> server_version() = 0;
};

}  // namespace weir
