#include "simulation/simulated_worker_store.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace weir::simulation {

Result<VersionId> SimulatedWorkerStore::register_version(const FlowDefinition& definition) {
  return execute<VersionId>(
      [definition](SimulatedDatabase& database) { return database.register_version(definition); });
}

Result<PluginId> SimulatedWorkerStore::register_plugin(const std::string& sha256,
                                                       const std::string&) {
  return execute<PluginId>(
      [sha256](SimulatedDatabase& database) { return database.register_plugin(sha256); });
}

Result<WorkerId> SimulatedWorkerStore::join(const WorkerIdentity& identity,
                                            std::chrono::milliseconds lease) {
  auto id = execute<WorkerId>(
      [identity, lease](SimulatedDatabase& database) { return database.join(identity, lease); });
  if (id) worker_ = *id;
  return id;
}

Result<ExchangeReply> SimulatedWorkerStore::exchange(const ExchangeRequest& request) {
  worker_ = request.worker;
  return execute<ExchangeReply>(
      [request](SimulatedDatabase& database) { return database.exchange(request); });
}

Result<std::vector<RunKey>> SimulatedWorkerStore::resume(WorkerId worker, std::int64_t sequence,
                                                         std::int64_t settled,
                                                         std::chrono::milliseconds lease) {
  return execute<std::vector<RunKey>>([=](SimulatedDatabase& database) {
    return database.resume(worker, sequence, settled, lease);
  });
}

Result<std::vector<Result<void>>> SimulatedWorkerStore::start_children(
    WorkerId worker, std::chrono::milliseconds lease, const std::vector<ChildStart>& children) {
  using Started = std::vector<Result<void>>;
  return execute<Started>([=](SimulatedDatabase& database) -> Result<Started> {
    if (const auto renewed = database.renew(worker, lease); !renewed)
      return std::unexpected(renewed.error());
    Started started;
    for (const ChildStart& child : children) started.push_back(database.start_child(worker, child));
    return started;
  });
}

Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>>
SimulatedWorkerStore::close_waits(WorkerId worker,
                                  const std::vector<std::pair<RunKey, std::size_t>>& waits) {
  using Closed = std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>;
  return execute<Closed>(
      [=](SimulatedDatabase& database) { return database.close_waits(worker, waits); });
}

Result<std::optional<JournalRow>> SimulatedWorkerStore::resolve(WorkerId worker,
                                                                const SettledAttempt& otherwise) {
  return execute<std::optional<JournalRow>>([worker, otherwise](SimulatedDatabase& database) {
    return database.resolve(worker, otherwise);
  });
}

void SimulatedWorkerStore::write_large(WorkerId worker, LargeWrite write) {
  const auto done = execute<bool>([worker, write](SimulatedDatabase& database) {
    return database.record_large(worker, write);
  });
  written_.push_back({std::move(write), done ? Result<void>() : std::unexpected(done.error())});
  wake();
}

Result<void> SimulatedWorkerStore::set_limits(const std::string& flow, const FlowLimits& limits) {
  return execute<void>(
      [=](SimulatedDatabase& database) { return database.set_limits(flow, limits, true); });
}

Result<void> SimulatedWorkerStore::serve_versions(
    WorkerId worker, const std::map<VersionId, ServedVersion>& versions) {
  return execute<void>([=](SimulatedDatabase& database) -> Result<void> {
    database.serve_versions(worker, versions);
    return {};
  });
}

Result<std::vector<AdoptedVersion>> SimulatedWorkerStore::adopt_older(VersionId version) {
  return execute<std::vector<AdoptedVersion>>(
      [version](SimulatedDatabase& database) { return database.adopt_older(version); });
}

Result<std::vector<std::string>> SimulatedWorkerStore::flows_with_open_runs() {
  return execute<std::vector<std::string>>(
      [](SimulatedDatabase& database) { return database.flows_with_open_runs(); });
}

Result<std::vector<VersionReport>> SimulatedWorkerStore::versions_of(
    const std::vector<std::string>& flows) {
  return execute<std::vector<VersionReport>>([=](SimulatedDatabase& database) {
    std::vector<VersionReport> all;
    for (const std::string& flow : std::set(flows.begin(), flows.end()))
      std::ranges::move(database.versions(flow), std::back_inserter(all));
    return all;
  });
}

// Reports for people are not simulated.
Result<void> SimulatedWorkerStore::report_plugins(const ReportingProcess&,
                                                  const std::optional<Json>&) {
  return {};
}

Result<std::map<RunKey, std::vector<JournalRow>>> SimulatedWorkerStore::journal(
    std::span<const RunKey> runs) {
  return execute<std::map<RunKey, std::vector<JournalRow>>>(
      [wanted = std::vector(runs.begin(), runs.end())](SimulatedDatabase& database) {
        return database.journal(wanted);
      });
}

Result<int> SimulatedWorkerStore::sweep() {
  return execute<int>([](SimulatedDatabase& database) { return database.sweep(); });
}

Result<void> SimulatedWorkerStore::leave(WorkerId worker) {
  return execute<void>([worker](SimulatedDatabase& database) -> Result<void> {
    database.leave(worker);
    return {};
  });
}

Result<Helpers> SimulatedWorkerStore::helpers_for(WorkerId worker, RunKey run) {
  return execute<Helpers>(
      [=](SimulatedDatabase& database) { return database.helpers_for(worker, run); });
}

Result<void> SimulatedWorkerStore::offer_shares(WorkerId worker, RunKey run,
                                                std::span<const OfferedRange> ranges) {
  return execute<void>(
      [=, all = std::vector(ranges.begin(), ranges.end())](SimulatedDatabase& database) {
        return database.offer_shares(worker, run, all);
      });
}

Result<std::vector<HeldRange>> SimulatedWorkerStore::take_back_shares(
    WorkerId worker, std::span<const RunKey> runs) {
  return execute<std::vector<HeldRange>>(
      [worker, wanted = std::vector(runs.begin(), runs.end())](SimulatedDatabase& database) {
        return database.take_back_shares(worker, wanted);
      });
}

Result<std::vector<ShareResult>> SimulatedWorkerStore::fetch_share_results(
    WorkerId worker, std::span<const RunKey> runs, std::span<const std::int64_t> acknowledged) {
  return execute<std::vector<ShareResult>>(
      [worker, wanted = std::vector(runs.begin(), runs.end()),
       heard = std::vector(acknowledged.begin(), acknowledged.end())](SimulatedDatabase& database) {
        return database.fetch_share_results(worker, wanted, heard);
      });
}

Result<void> SimulatedWorkerStore::drop_shares(WorkerId worker, RunKey run, std::size_t step) {
  return execute<void>(
      [=](SimulatedDatabase& database) { return database.drop_shares(worker, run, step); });
}

Result<std::vector<TakenShare>> SimulatedWorkerStore::take_shares(
    WorkerId worker, std::span<const VersionId> versions, std::size_t count,
    std::span<const RunKey> known_runs) {
  return execute<std::vector<TakenShare>>(
      [worker, count, wanted = std::vector(versions.begin(), versions.end()),
       known = std::vector(known_runs.begin(), known_runs.end())](SimulatedDatabase& database) {
        return database.take_shares(worker, wanted, count, known);
      });
}

Result<std::vector<ShareId>> SimulatedWorkerStore::held_shares(WorkerId worker) {
  return execute<std::vector<ShareId>>(
      [worker](SimulatedDatabase& database) { return database.held_shares(worker); });
}

Result<std::size_t> SimulatedWorkerStore::settle_share(WorkerId worker, ShareId share,
                                                       std::span<const JournalRow> rows,
                                                       std::optional<PluginId>) {
  return execute<std::size_t>(
      [=, all = std::vector(rows.begin(), rows.end())](SimulatedDatabase& database) {
        return database.settle_share(worker, share, all);
      });
}

Result<void> SimulatedWorkerStore::return_share(WorkerId worker, ShareId share, std::size_t from) {
  return execute<void>(
      [=](SimulatedDatabase& database) { return database.return_share(worker, share, from); });
}

}  // namespace weir::simulation
