#pragma once
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "simulation/simulated_database.hpp"

namespace weir::simulation {

// Checks each claim against the limits of its flow (C6), from the claims alone: what is held, and
// when runs were claimed since the limits were set.
class LimitJudge {
 public:
  using Violated = std::function<void(std::string)>;

  void changed(FlowId flow);
  void claimed(const SimulatedDatabase& database, const std::vector<RunKey>& runs,
               const Violated& violated);
  std::size_t claims() const noexcept { return claims_; }

 private:
  void check_rate(const std::string& text, const std::vector<Time>& claims, const std::string& what,
                  const Violated& violated) const;

  // By flow and key; "" is the flow itself.
  std::map<std::pair<FlowId, std::string>, std::vector<Time>> times_;
  std::size_t claims_ = 0;  // under limits
};

}  // namespace weir::simulation
