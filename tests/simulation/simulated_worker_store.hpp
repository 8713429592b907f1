#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "simulation/simulated_database.hpp"
#include "store/flow_store.hpp"
#include "store/plugin_store.hpp"
#include "store/share_store.hpp"

namespace weir::simulation {

// A worker's session with the simulated database. Derived classes implement how a request reaches it,
// and waits.
class SimulatedWorkerStore : public WorkerStore,
                             public FlowStore,
                             public PluginStore,
                             public ShareStore {
 public:
  explicit SimulatedWorkerStore(SimulatedDatabase& database) : database_(database) {}

  Result<WorkerId> join(const WorkerIdentity& identity, std::chrono::milliseconds lease) override;
  Result<ExchangeReply> exchange(const ExchangeRequest& request) override;
  Result<std::vector<RunKey>> resume(WorkerId worker, std::int64_t sequence, std::int64_t settled,
                                     std::chrono::milliseconds lease) override;
  Result<std::vector<Result<void>>> start_children(
      WorkerId worker, std::chrono::milliseconds lease,
      const std::vector<ChildStart>& children) override;
  Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>> close_waits(
      WorkerId worker, const std::vector<std::pair<RunKey, std::size_t>>& waits) override;
  Result<std::optional<JournalRow>> resolve(WorkerId worker,
                                            const SettledAttempt& otherwise) override;
  // Is over when it returns.
  void write_large(WorkerId worker, LargeWrite write) override;
  bool withdraw_large(RunKey, TaskId, int, ShareId) override { return false; }
  std::vector<LargeWritten> take_written() override { return std::exchange(written_, {}); }
  void forget_large() override { written_.clear(); }
  Result<std::map<RunKey, std::vector<JournalRow>>> journal(std::span<const RunKey> runs) override;
  Result<int> sweep() override;
  Result<void> leave(WorkerId worker) override;
  FlowStore& flows() noexcept override { return *this; }
  PluginStore& plugins() noexcept override { return *this; }
  ShareStore* shares() noexcept override { return this; }

  Result<VersionId> register_version(const FlowDefinition& definition) override;
  Result<PluginId> register_plugin(const std::string& sha256, const std::string& path) override;
  Result<void> set_limits(const std::string& flow, const FlowLimits& limits) override;
  Result<void> serve_versions(WorkerId worker,
                              const std::map<VersionId, ServedVersion>& versions) override;
  Result<std::vector<AdoptedVersion>> adopt_older(VersionId version) override;

  Result<std::vector<std::string>> flows_with_open_runs() override;
  Result<std::vector<VersionReport>> versions_of(const std::vector<std::string>& flows) override;
  Result<void> report_plugins(const ReportingProcess& process,
                              const std::optional<Json>& plugins) override;

  Result<Helpers> helpers_for(WorkerId worker, RunKey run) override;
  Result<void> offer_shares(WorkerId worker, RunKey run,
                            std::span<const OfferedRange> ranges) override;
  Result<std::vector<HeldRange>> take_back_shares(WorkerId worker,
                                                  std::span<const RunKey> runs) override;
  Result<std::vector<ShareResult>> fetch_share_results(
      WorkerId worker, std::span<const RunKey> runs,
      std::span<const std::int64_t> acknowledged) override;
  Result<void> drop_shares(WorkerId worker, RunKey run, std::size_t step) override;
  Result<std::vector<TakenShare>> take_shares(WorkerId worker, std::span<const VersionId> versions,
                                              std::size_t count,
                                              std::span<const RunKey> known_runs) override;
  Result<std::vector<ShareId>> held_shares(WorkerId worker) override;
  Result<std::size_t> settle_share(WorkerId worker, ShareId share, std::span<const JournalRow> rows,
                                   std::optional<PluginId> plugin) override;
  Result<void> return_share(WorkerId worker, ShareId share, std::size_t from) override;

  // The worker whose notifications it receives.
  WorkerId worker() const noexcept { return worker_; }

 protected:
  // Runs `body`, which commits: once or never, before or after this returns. With the error
  // unavailable the outcome is unknown.
  virtual Result<void> send(std::function<void()> body) = 0;

  SimulatedDatabase& database_;
  std::vector<LargeWritten> written_;

 private:
  // The reply is shared, because `body` may run after the caller has ended.
  template <class T>
  Result<T> execute(std::function<Result<T>(SimulatedDatabase&)> operation) {
    auto reply = std::make_shared<std::optional<Result<T>>>();
    const auto sent = send([&database = database_, reply, operation = std::move(operation)] {
      reply->emplace(operation(database));
    });
    if (!sent) return std::unexpected(sent.error());
    return *std::move(*reply);
  }

  WorkerId worker_ = 0;
};

}  // namespace weir::simulation
