#include "simulation/simulated_run_store.hpp"

#include <algorithm>
#include <ranges>
#include <set>

#include <fmt/core.h>

#include "base/nearest.hpp"

namespace weir::simulation {
namespace {

template <class T>
std::optional<T> unless_empty(const T& value) {
  return value.empty() ? std::nullopt : std::optional(value);
}

class SimulatedRunStore final : public RunStore {
 public:
  SimulatedRunStore(SimulatedDatabase& database, std::mutex& mutex)
      : database_(database), mutex_(mutex) {}

  Result<std::vector<StartedRun>> start(const std::string& flow_slug,
                                        const std::vector<Json>& inputs,
                                        const StartOptions& options) override {
    const std::scoped_lock lock(mutex_);
    auto started = database_.start(flow_slug, inputs, options);
    if (!started) return std::unexpected(with_nearest(started.error(), flow_slug));
    return started;
  }
  Result<bool> cancel(const std::string& id, const std::string& reason) override {
    return of_run(id, [&] { return database_.cancel(id, reason); });
  }
  Result<bool> signal(const std::string& id, const std::string& name,
                      const Json& payload) override {
    return of_run(id, [&] { return database_.signal(id, name, payload); });
  }
  Result<std::int64_t> retry(const std::string& id) override {
    return of_run(id, [&] { return database_.retry(id); });
  }
  Result<bool> pause(const std::string& slug) override { return set_paused(slug, true); }
  Result<bool> resume(const std::string& slug) override { return set_paused(slug, false); }

  Result<std::vector<WorkerReport>> workers(std::int64_t count_max) override {
    const std::scoped_lock lock(mutex_);
    std::vector<WorkerReport> found;
    for (const auto& [id, worker] : tables().workers) {
      WorkerReport report{.id = id,
                          .host = worker.identity.host,
                          .pid = worker.identity.pid,
                          .slots = static_cast<std::int64_t>(worker.identity.slots),
                          .in_flight = static_cast<std::int64_t>(worker.in_flight.size()),
                          .alive = database_.is_alive(id),
                          .started_at = worker.started_at,
                          .lease_until = worker.lease_until,
                          .ended_at = worker.ended_at,
                          .end_reason = worker.end_reason};
      for (const auto& [run, open] : tables().open_runs) report.runs += open.worker == id;
      found.push_back(std::move(report));
    }
    std::ranges::sort(found, [](const WorkerReport& a, const WorkerReport& b) {
      return std::tuple(!a.alive, b.ended_at, a.id) < std::tuple(!b.alive, a.ended_at, b.id);
    });
    if (found.size() > static_cast<std::size_t>(count_max))
      found.resize(static_cast<std::size_t>(count_max));
    return found;
  }

  Result<KnownFlow> flow(const std::string& slug, std::optional<int> number) override {
    const std::scoped_lock lock(mutex_);
    const auto reports = database_.versions(slug);
    for (const VersionReport& each : reports)
      if (number ? each.number == *number : each.takes_starts)
        return KnownFlow{.slug = slug,
                         .version = each.number,
                         .fingerprint = each.fingerprint,
                         .input_schema = definition(slug, each.number).input_schema()};
    Error unknown = database_.unknown_flow(slug, number);
    if (reports.empty() && tables().flows.empty())
      unknown.hint = "a flow is known once a worker has loaded it: weir serve";
    return std::unexpected(with_nearest(unknown, slug));
  }

  Result<std::vector<VersionReport>> all_versions() override {
    const std::scoped_lock lock(mutex_);
    std::set<std::string> slugs;
    for (const auto& [id, row] : tables().flows) slugs.insert(row.slug);
    std::vector<VersionReport> all;
    for (const std::string& slug : slugs)
      for (VersionReport& each : database_.versions(slug)) all.push_back(std::move(each));
    return all;
  }

  Result<std::vector<VersionReport>> versions(const std::string& slug) override {
    const std::scoped_lock lock(mutex_);
    auto found = database_.versions(slug);
    if (found.empty()) return std::unexpected(with_nearest(database_.unknown_flow(slug, {}), slug));
    return found;
  }

  Result<Adoption> adopt(const std::string& slug, int from, std::optional<int> to) override {
    const std::scoped_lock lock(mutex_);
    auto adopted = database_.adopt(slug, from, to);
    if (!adopted) return std::unexpected(with_nearest(adopted.error(), slug));
    return adopted;
  }

  Result<std::vector<ReportedPlugin>> plugins() override { return not_simulated(); }

  Result<std::vector<RunSummary>> runs(const RunFilter& filter) override {
    const std::scoped_lock lock(mutex_);
    if (filter.flow && database_.flow(*filter.flow) == nullptr)
      return std::unexpected(with_nearest(database_.unknown_flow(*filter.flow, {}), *filter.flow));
    if (filter.input_contains || filter.output_contains) return not_simulated();
    std::vector<RunSummary> found;
    for (const auto& [key, row] : tables().runs | std::views::reverse) {
      if (found.size() == static_cast<std::size_t>(filter.count_max)) break;
      RunSummary entry = summary_of(key);
      if ((filter.flow && entry.flow != *filter.flow) ||
          (filter.status && entry.status != *filter.status) ||
          (filter.tag && std::ranges::find(row.tags, *filter.tag) == row.tags.end()) ||
          (filter.since && row.created_at < *filter.since) ||
          (filter.until && row.created_at >= *filter.until))
        continue;
      found.push_back(std::move(entry));
    }
    return found;
  }

  Result<RunSummary> summary(const std::string& id) override {
    return of_run(id, [&]() -> Result<RunSummary> { return summary_of(tables().run_ids.at(id)); });
  }

  Result<RunReport> report(const std::string& id, bool with_values) override {
    return of_run(id, [&]() -> Result<RunReport> {
      const RunKey key = tables().run_ids.at(id);
      const RunRow& row = tables().runs.at(key);
      RunReport result{.summary = summary_of(key), .input = {}, .output = {}, .steps = {}};
      if (with_values) {
        result.input = row.input;
        result.output = row.output;
      }
      return result;
    });
  }

  Result<RecordedRun> recorded(const std::string&) override { return not_simulated(); }

  Result<std::vector<std::string>> over_among(const std::vector<std::string>& ids) override {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> over;
    for (const std::string& id : ids) {
      const auto key = tables().run_ids.find(id);
      if (key == tables().run_ids.end() || tables().runs.at(key->second).status) over.push_back(id);
    }
    return over;
  }

  Result<std::int64_t> workers_alive() override {
    const std::scoped_lock lock(mutex_);
    return std::ranges::count_if(tables().workers,
                                 [&](const auto& each) { return database_.is_alive(each.first); });
  }

  Result<std::string> server_version() override { return "simulated"; }

 private:
  const Tables& tables() const { return database_.tables(); }

  static std::unexpected<Error> not_simulated() {
    return std::unexpected(sim_error(ErrorCode::internal, "not_simulated",
                                     "the simulated store has no such answer", ""));
  }

  const FlowDefinition& definition(const std::string& slug, int number) const {
    const FlowRow& known = *database_.flow(slug);
    return *database_.version(known.versions.at(static_cast<std::size_t>(number) - 1)).definition;
  }

  template <class Body>
  auto of_run(const std::string& id, Body&& body) -> decltype(body()) {
    const std::scoped_lock lock(mutex_);
    if (id.size() != 36)
      return std::unexpected(sim_error(ErrorCode::invalid_input, "bad_run_id",
                                       fmt::format("\"{}\" is not a run id", id),
                                       "run ids are UUIDs: weir runs list shows them"));
    if (!tables().run_ids.contains(id))
      return std::unexpected(sim_error(ErrorCode::not_found, "not_found",
                                       fmt::format("no run {} in this database", id),
                                       "weir runs list shows the newest"));
    return body();
  }

  Result<bool> set_paused(const std::string& slug, bool paused) {
    const std::scoped_lock lock(mutex_);
    auto changed = database_.set_paused(slug, paused);
    if (!changed) return std::unexpected(with_nearest(changed.error(), slug));
    return changed;
  }

  RunSummary summary_of(RunKey key) const {
    const RunRow& row = tables().runs.at(key);
    RunSummary result{.id = row.id,
                      .flow = database_.slug_of(row.version),
                      .version = database_.version(row.version).number,
                      .error = unless_empty(row.error),
                      .created_at = row.created_at,
                      .started_at = row.started_at,
                      .ended_at = row.ended_at,
                      .priority = row.priority,
                      .tags = row.tags,
                      .note = unless_empty(row.note)};
    if (row.parent) result.parent_run = tables().runs.at(row.parent->run).id;
    if (row.status) {
      result.status = *row.status == RunStatus::completed ? "completed"
                      : *row.status == RunStatus::failed  ? "failed"
                                                          : "cancelled";
      return result;
    }
    const OpenRunRow& open = tables().open_runs.at(key);
    result.status = open.claims > 0 ? "running" : "queued";
    result.started_at = open.started_at;
    result.wake_at = open.wake_at;
    return result;
  }

  Error with_nearest(Error error, const std::string& wanted) const {
    if (error.code != ErrorCode::not_found) return error;
    std::vector<std::string> known;
    for (const auto& [id, each] : tables().flows) {
      known.push_back(each.slug);
      if (each.slug != wanted) continue;
      error.hint = fmt::format("the newest version is {}", each.versions.size());
      return error;
    }
    error.hint = did_you_mean(wanted, known, error.hint);
    return error;
  }

  SimulatedDatabase& database_;
  std::mutex& mutex_;
};

}  // namespace

std::unique_ptr<RunStore> simulated_run_store(SimulatedDatabase& database, std::mutex& mutex) {
  return std::make_unique<SimulatedRunStore>(database, mutex);
}

}  // namespace weir::simulation
