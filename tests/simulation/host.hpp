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

  void wishes(Wish wish);
  void dies();

  // The host does nothing for a while; its clock continues, or stops as well.
  void freezes(Duration duration, bool clock_stands);

  // It cannot reach the database for a while.
  void is_cut_off(Duration duration);

  bool lives() const noexcept { return !dead_ && !actor_->is_over(); }
  bool serves() const noexcept { return lives() && wish_ == Wish::serve; }
  WorkerId worker() const noexcept { return store_.worker(); }

  // For the parts of the host.
  World& world() noexcept { return world_; }
  double clock_rate() const noexcept { return traits_.clock_rate; }
  Steady steady() const;
  void wake();
  void after(Duration delay, std::function<void()> event);
  void hears_ready();
  void hears_told(WorkerId worker);

 private:
  class Store final : public SimulatedWorkerStore {
   public:
    explicit Store(Host& host) : SimulatedWorkerStore(host.world_.database), host_(host) {}
    bool wait(std::chrono::milliseconds limit) override;
    bool take_told() override { return std::exchange(told_, false); }
    void wake() noexcept override { host_.wake(); }
    bool ready_ = false, told_ = false;

   private:
    Result<void> call(std::function<void()> body) override;
    Host& host_;
  };

  void live();
  bool pauses(Duration duration);
  Duration in_true_time(std::chrono::milliseconds steady) const;

  World& world_;
  Traits traits_;
  std::shared_ptr<Log> log_;
  FlowRegistry registry_{1};
  FlowWorkers flow_workers_;
  WorkerOptions options_;
  Store store_{*this};
  SimulatedSteps steps_{traits_.slots, *this};
  std::uint64_t next_ticket_ = 1;
  Wish wish_ = Wish::serve;
  bool flows_changed_ = false, woken_ = false, dead_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for events in the future
  Time frozen_until_{}, cut_off_until_{};
  Duration stood_{};  // how long its clock was stopped
  Stage::Actor* actor_ = nullptr;
};

}  // namespace weir::simulation
