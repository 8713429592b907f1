#include "bench/growth/counting_store.hpp"

#include <utility>

namespace weir::bench {
namespace {

class CountingStore final : public WorkerStore {
 public:
  CountingStore(std::unique_ptr<WorkerStore> store, ClaimCounts& counts)
      : store_(std::move(store)), counts_(counts) {}

  Result<ExchangeReply> exchange(const ExchangeRequest& request) override {
    auto reply = store_->exchange(request);
    count(reply);
    return reply;
  }
  void send_exchange(const ExchangeRequest& request) override { store_->send_exchange(request); }
  std::optional<Result<ExchangeReply>> take_reply() override {
    auto reply = store_->take_reply();
    if (reply) count(*reply);
    return reply;
  }

  Result<WorkerId> join(const WorkerIdentity& identity, std::chrono::milliseconds lease) override {
    return store_->join(identity, lease);
  }
  Result<std::vector<RunKey>> resume(WorkerId worker, std::int64_t sequence, std::int64_t settled,
                                     std::chrono::milliseconds lease) override {
    return store_->resume(worker, sequence, settled, lease);
  }
  Result<std::vector<Result<void>>> start_children(
      WorkerId worker, std::chrono::milliseconds lease,
      const std::vector<ChildStart>& children) override {
    return store_->start_children(worker, lease, children);
  }
  Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>> close_waits(
      WorkerId worker, const std::vector<std::pair<RunKey, std::size_t>>& waits) override {
    return store_->close_waits(worker, waits);
  }
  Result<std::optional<JournalRow>> resolve(WorkerId worker,
                                            const SettledAttempt& otherwise) override {
    return store_->resolve(worker, otherwise);
  }
  void write_large(WorkerId worker, LargeWrite write) override {
    store_->write_large(worker, std::move(write));
  }
  std::vector<LargeWritten> take_written() override { return store_->take_written(); }
  bool withdraw_large(RunKey run, TaskId task, int attempt, ShareId share) override {
    return store_->withdraw_large(run, task, attempt, share);
  }
  void forget_large() override { store_->forget_large(); }
  Result<std::map<RunKey, std::vector<JournalRow>>> journal(std::span<const RunKey> runs) override {
    return store_->journal(runs);
  }
  Result<int> sweep() override { return store_->sweep(); }
  Result<void> leave(WorkerId worker) override { return store_->leave(worker); }
  bool wait(std::chrono::milliseconds limit) override { return store_->wait(limit); }
  bool take_notified() override { return store_->take_notified(); }
  FlowStore& flows() noexcept override { return store_->flows(); }
  PluginStore& plugins() noexcept override { return store_->plugins(); }
  ShareStore* shares() noexcept override { return store_->shares(); }
  void wake() noexcept override { store_->wake(); }

 private:
  void count(const Result<ExchangeReply>& reply) {
    ++counts_.exchanges;
    if (!reply) return;
    counts_.claimed += reply->claimed.size();
    counts_.missed += reply->contended;
  }

  std::unique_ptr<WorkerStore> store_;
  ClaimCounts& counts_;
};

}  // namespace

std::unique_ptr<WorkerStore> counting(std::unique_ptr<WorkerStore> store, ClaimCounts& counts) {
  return std::make_unique<CountingStore>(std::move(store), counts);
}

}  // namespace weir::bench
