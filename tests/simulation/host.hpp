#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "registry/flow_registry.hpp"
#include "simulation/simulated_steps.hpp"
#include "simulation/simulated_worker_store.hpp"
#include "simulation/world.hpp"
#include "worker/flow_workers.hpp"
#include "worker/worker_loop.hpp"

namespace weir::simulation {

// A worker's process on a host of its own: runs the real WorkerLoop again and again, as
// Worker::run() does. Its clock has a rate of its own, and may stop while the host is frozen.
class Host {
 public:
  struct Traits {
    std::size_t slots = 2;
    std::size_t async_calls = 2;
    std::chrono::milliseconds lease{5'000};
    std::chrono::milliseconds drain_timeout{5'000};
    double clock_rate = 1.0;
  };

  Host(World& world, Traits traits, const std::vector<FlowDefinition>& flows);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Registers a flow; a newer version of a flow is added to the old one.
  void load(const FlowDefinition& flow);

  void request_stop(StopRequest request);
  void kill();

  // The host does nothing for a while; its clock continues, or stops as well.
  void freeze(Duration duration, bool stop_clock);

  // It cannot reach the database for a while.
  void disconnect(Duration duration);

  bool is_dead() const noexcept { return dead_; }
  bool is_alive() const noexcept { return !dead_ && !actor_->is_over(); }
  bool is_serving() const noexcept { return is_alive() && stop_request_ == StopRequest::none; }
  WorkerId worker() const noexcept { return store_.worker(); }

  // For the parts of the host.
  World& world() noexcept { return world_; }
  double clock_rate() const noexcept { return traits_.clock_rate; }
  Steady steady() const;
  bool is_connected() const {
    return world_.stage.now() >= disconnected_until_ && world_.is_database_up();
  }
  void wake();
  void after(Duration delay, std::function<void()> event);
  void on_ready();
  void on_notified(WorkerId worker);

 private:
  class Store final : public SimulatedWorkerStore {
   public:
    explicit Store(Host& host) : SimulatedWorkerStore(host.world_.database), host_(host) {}
    // An actor of its own makes the exchange.
    void send_exchange(const ExchangeRequest& request) override;
    std::optional<Result<ExchangeReply>> take_reply() override;
    void kill_exchange();
    bool wait(std::chrono::milliseconds limit) override;
    bool take_notified() override { return std::exchange(notified_, false); }
    void wake() noexcept override { host_.wake(); }
    ShareStore* shares() noexcept override {
      return host_.world_.features.sharing ? this : nullptr;
    }
    // The judge is told what the worker has learned of its runs.
    Result<std::map<RunKey, std::vector<JournalRow>>> journal(
        std::span<const RunKey> runs) override;
    Result<std::vector<ShareResult>> fetch_share_results(
        WorkerId worker, std::span<const RunKey> runs,
        std::span<const std::int64_t> acknowledged) override;
    Result<std::optional<JournalRow>> resolve(WorkerId worker,
                                              const SettledAttempt& otherwise) override;
    // Take their time, beside the calls.
    void write_large(WorkerId worker, LargeWrite write) override;
    bool withdraw_large(RunKey run, TaskId task, int attempt, ShareId share) override;
    std::vector<LargeWritten> take_written() override;
    void forget_large() override;
    // Is never committed late: then it would offer what its owner has taken back and runs itself.
    Result<void> offer_shares(WorkerId worker, RunKey run,
                              std::span<const OfferedRange> ranges) override;
    bool ready_ = false, notified_ = false, never_late_ = false;

   private:
    Result<void> send(std::function<void()> body) override;
    struct Write {
      WorkerId worker = 0;
      LargeWrite write;
      int forgotten = 0;
      bool may_be_written = false, withdrawn = false;
    };
    void write_after(Duration delay, const std::shared_ptr<Write>& write);
    Host& host_;
    Stage::Actor* under_way_ = nullptr;  // an exchange whose reply was not taken
    std::optional<Result<ExchangeReply>> exchange_reply_;
    int forgotten_ = 0;                           // times
    std::vector<std::shared_ptr<Write>> writes_;  // some are over
    std::vector<SettledAttempt> untold_;          // written, of runs of this worker
  };

  void run();
  bool pause(Duration duration);
  Duration in_true_time(std::chrono::milliseconds steady) const;

  World& world_;
  Traits traits_;
  std::shared_ptr<Log> log_;
  FlowRegistry registry_{1};
  FlowWorkers flow_workers_;
  WorkerOptions options_;
  Store store_{*this};
  SimulatedSteps steps_{traits_.slots, traits_.async_calls, *this};
  AcrossLives across_;
  StopRequest stop_request_ = StopRequest::none;
  bool flows_changed_ = false, woken_ = false, dead_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for events in the future
  Time frozen_until_{}, disconnected_until_{};
  Duration clock_stopped_for_{};  // how long its clock was stopped
  Stage::Actor* actor_ = nullptr;
};

}  // namespace weir::simulation
