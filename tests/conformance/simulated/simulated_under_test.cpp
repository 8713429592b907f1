#include <condition_variable>
#include <mutex>
#include <random>
#include <set>

#include "conformance/stores_under_test.hpp"
#include "simulation/simulated_run_store.hpp"
#include "simulation/simulated_worker_store.hpp"

namespace weir::testing {
namespace {

using simulation::SimulatedDatabase;

// The simulated database in real time, for many threads: what the simulation stands on passes the
// same suite as PostgreSQL.
class SimulatedUnderTest final : public StoresUnderTest {
 public:
  std::unique_ptr<WorkerStore> worker_session() override {
    return std::make_unique<WorkerSession>(*this);
  }
  std::unique_ptr<RunStore> client_session() override {
    return simulation::simulated_run_store(database_, mutex_);
  }
  bool can(Capability) const noexcept override { return false; }

 private:
  class WorkerSession final : public simulation::SimulatedWorkerStore {
   public:
    explicit WorkerSession(SimulatedUnderTest& stores)
        : SimulatedWorkerStore(stores.database_), stores_(stores) {
      const std::scoped_lock lock(stores_.mutex_);
      stores_.sessions_.insert(this);
    }
    ~WorkerSession() override {
      const std::scoped_lock lock(stores_.mutex_);
      stores_.sessions_.erase(this);
    }
    WorkerSession(const WorkerSession&) = delete;
    WorkerSession& operator=(const WorkerSession&) = delete;

    bool wait(std::chrono::milliseconds limit) override {
      std::unique_lock lock(stores_.mutex_);
      changed_.wait_for(lock, limit, [this] { return ready_ || notified_ || woken_; });
      woken_ = false;
      return std::exchange(ready_, false) || notified_;
    }
    bool take_notified() override {
      const std::scoped_lock lock(stores_.mutex_);
      return std::exchange(notified_, false);
    }
    void wake() noexcept override {
      const std::scoped_lock lock(stores_.mutex_);
      woken_ = true;
      changed_.notify_all();
    }

    // Under the stores' mutex.
    void on_ready() {
      ready_ = true;
      changed_.notify_all();
    }
    void on_notified() {
      notified_ = true;
      changed_.notify_all();
    }

   private:
    Result<void> send(std::function<void()> body) override {
      const std::scoped_lock lock(stores_.mutex_);
      body();
      return {};
    }

    SimulatedUnderTest& stores_;
    std::condition_variable changed_;
    bool ready_ = false, notified_ = false, woken_ = false;  // guarded by the stores' mutex
  };

  std::mutex mutex_;  // guards all that follows
  std::set<WorkerSession*> sessions_;
  std::mt19937_64 random_{std::random_device{}()};
  SimulatedDatabase database_{{
      .now = [] { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); },
      .random = [this] { return random_(); },
      .notify_ready =
          [this] {
            for (WorkerSession* const each : sessions_) each->on_ready();
          },
      .notify_worker =
          [this](WorkerId worker) {
            for (WorkerSession* const each : sessions_)
              if (each->worker() == worker) each->on_notified();
          },
  }};
};

}  // namespace

std::unique_ptr<StoresUnderTest> fresh_stores() { return std::make_unique<SimulatedUnderTest>(); }

}  // namespace weir::testing
