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
  std::int64_t runs = 0;  ///< it owns
  bool alive = false;
  Time started_at{}, lease_until{};
  std::optional<Time> ended_at{};
  std::string end_reason{};  ///< left, lapsed, crashed; empty while it lives
};

/// What people and programs ask of a database: start and look. One object is one session.
///
/// Errors of every call: unavailable; others as said.  [one thread at a time]
class RunStore {
 public:
  virtual ~RunStore() = default;

  /// One run for each input, in one statement (S5). Errors: not_found with the nearest slug (S2),
  /// invalid_input (S3), conflict (a run id that exists), in_doubt (the connection broke under the
  /// call: repeat it with the same keys or run ids only).
  virtual Result<std::vector<StartedRun>> start(const std::string& flow,
                                                const std::vector<Json>& inputs,
                                                const StartOptions& options) = 0;

  /// Ends a run as cancelled (C1): at once when no worker holds it, else as soon as its worker
  /// hears of it; its children likewise. False when it was over. Errors: not_found; invalid_input
  /// for what is no UUID.
  virtual Result<bool> cancel(const std::string& id, const std::string& reason) = 0;

  /// Ends a wait step of that signal's name, also before it begins (C4). False when it was
  /// signalled before. Errors: not_found for the run, or for the signal, naming those it waits for;
  /// conflict, kind "run_over", when the run or the wait is over.
  virtual Result<bool> signal(const std::string& id, const std::string& name,
                              const Json& payload) = 0;

  /// Opens a failed or cancelled run again, which goes on from what is missing (C3). Returns how
  /// many tasks are tried anew. Errors: not_found; conflict, kind "run_not_failed".
  virtual Result<std::int64_t> retry(const std::string& id) = 0;

  /// From now on nothing of the flow is claimed, or it is again (C2). False when it was so. Errors:
  /// not_found with the nearest slug.
  virtual Result<bool> pause(const std::string& flow) = 0;
  virtual Result<bool> resume(const std::string& flow) = 0;

  /// Workers, live ones first, then those that ended last.
  virtual Result<std::vector<WorkerReport>> workers(std::int64_t count_max) = 0;

  /// The newest version of a flow, or the one asked for. Errors: not_found with the nearest slug.
  virtual Result<KnownFlow> flow(const std::string& slug, std::optional<int> version) = 0;

  /// All versions of a flow, the highest number first (V4). Errors: not_found with the nearest
  /// slug.
  virtual Result<std::vector<VersionReport>> versions(const std::string& slug) = 0;

  /// Has the open runs of a version go on with another, by default the newest (V3): at once, or
  /// when their worker lets go of them; new ones of it too. Errors: not_found; conflict, kind
  /// "incompatible_version", naming the first difference; invalid_input for a version into itself.
  virtual Result<Adoption> adopt(const std::string& slug, int from, std::optional<int> to) = 0;

  /// What processes with live workers say of their plugin files, by path, host and pid.
  virtual Result<std::vector<ReportedPlugin>> plugins() = 0;

  /// Newest first. Errors: not_found for a flow this database does not know.
  virtual Result<std::vector<RunSummary>> runs(const RunFilter& filter) = 0;

  /// Errors: not_found; invalid_input for what is no UUID.
  virtual Result<RunSummary> summary(const std::string& id) = 0;

  /// As summary, with values and steps; cheap parts first where `with_values` is false (no input,
  /// outputs).
  virtual Result<RunReport> report(const std::string& id, bool with_values = true) = 0;

  /// Errors: not_found; invalid_input for what is no UUID.
  virtual Result<RecordedRun> recorded(const std::string& id) = 0;

  /// Those of these runs that are over, or that this database does not know: whoever waits for them
  /// need not go on. One statement for all. Errors: invalid_input for what is no UUID.
  virtual Result<std::vector<std::string>> over_among(const std::vector<std::string>& ids) = 0;

  /// Workers whose lease stands.
  virtual Result<std::int64_t> workers_alive() = 0;

  /// "15.18": for people.
  virtual Result<std::string> server_version() = 0;
};

}  // namespace weir
