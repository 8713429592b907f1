#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "simulation/fault_rates.hpp"
#include "simulation/judge.hpp"
#include "simulation/stage.hpp"
#include "worker/step_runner.hpp"

namespace weir::simulation {

class Host;

// The slots of a worker. The seed determines how long a handler runs, and its result.
class SimulatedSteps final : public StepRunner {
 public:
  SimulatedSteps(std::size_t slots, Host& host) : slots_(slots), host_(host) {}

  void start(std::vector<std::shared_ptr<Attempt>> attempts) override;
  std::vector<std::shared_ptr<Attempt>> take_finished() override;
  std::vector<std::shared_ptr<Attempt>> withdraw(std::size_t count, const Which& which) override;
  void abandon(const Attempt& attempt) override;
  std::size_t lost() const override { return 0; }

  // The host died: what its handlers have open in the database ends by itself.
  void lose_connections();

  // Ends handlers that obey their cancelled stop token, and hanging ones once the faults have ended.
  void check();

 private:
  struct Running {
    std::shared_ptr<Attempt> attempt;
    AttemptResult result;
    bool obeys = true, hangs = false, ending = false;
    std::optional<SettlementId> settlement = {};  // its transaction, while that is open
  };
  using Place = std::shared_ptr<Running>;

  void fill();
  void begin(std::shared_ptr<Attempt> attempt);
  void settle(const Place& running, Duration then);
  void commit(const Place& running);
  void end_transaction_later(Running& running, bool commits);
  void end_after(const Place& running, Duration delay);
  void end(const Place& running);
  AttemptResult draw_result(const Attempt& attempt);

  std::size_t slots_;
  Host& host_;
  std::vector<Place> running_;
  std::set<const Attempt*> abandoned_;  // a part of running_: they no longer occupy a slot
  std::deque<std::shared_ptr<Attempt>> queue_;
  std::vector<std::shared_ptr<Attempt>> finished_;
};

}  // namespace weir::simulation
