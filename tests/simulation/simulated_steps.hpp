#pragma once
#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "simulation/fault_rates.hpp"
#include "simulation/judge.hpp"
#include "simulation/stage.hpp"
#include "step/deferred_call.hpp"
#include "worker/step_runner.hpp"

namespace weir::simulation {

class Host;

// The slots of a worker. The seed determines how long a handler runs, whether it defers its call, and its
// result. What is deferred is completed at any moment, as by another thread: late, twice or never, too.
class SimulatedSteps final : public StepRunner {
 public:
  SimulatedSteps(std::size_t slots, std::size_t deferred_max, Host& host)
      : slots_(slots), deferred_max_(deferred_max), host_(host) {}

  void start(std::vector<std::shared_ptr<Attempt>> attempts) override;
  std::vector<std::shared_ptr<Attempt>> take_finished() override;
  std::vector<std::shared_ptr<Attempt>> withdraw(std::size_t count, const Which& which) override;
  void abandon(const Attempt& attempt) override;
  std::size_t lost() const override { return 0; }
  std::size_t pending() const;

  // The worker has stopped: pending calls are over.
  void close();

  // Whether the attempt is one whose call is pending.
  bool is_pending(RunKey run, TaskId task, int attempt) const;

  // The host died: what its handlers have open in the database ends by itself.
  void lose_connections();

  // Ends handlers that obey their cancelled stop token, and hanging ones once the faults have ended.
  void check();

 private:
  struct Running {
    std::shared_ptr<Attempt> attempt;
    AttemptResult result;
    bool obeys = true, hangs = false, ending = false;
    bool abandoned = false;
    bool pending = false;  // its handler has returned, with its call deferred
    bool is_over() const noexcept { return abandoned && pending; }
    std::optional<SettlementId> settlement = {};  // its transaction, while that is open
    DeferredCall<> call{};
  };
  using Place = std::shared_ptr<Running>;

  bool runs(const Place& running) const;
  std::size_t on_slots() const;
  void fill();
  void begin(std::shared_ptr<Attempt> attempt);
  void settle(const Place& running, Duration then);
  void commit(const Place& running);
  void end_transaction_later(Running& running, bool commits);
  void end_after(const Place& running, Duration delay);
  void end(const Place& running);
  void defer(const Place& running);
  void complete(const Place& running);
  void finish(const Place& running, bool counts);
  AttemptResult draw_result(const Attempt& attempt);

  std::size_t slots_, deferred_max_;
  std::atomic<std::size_t> deferred_ = 0;
  Host& host_;
  std::vector<Place> running_;  // those too that are abandoned or pending, and occupy no slot
  std::deque<std::shared_ptr<Attempt>> queue_;
  std::vector<std::shared_ptr<Attempt>> finished_;
};

}  // namespace weir::simulation
