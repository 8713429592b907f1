#include "simulation/limit_judge.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace weir::simulation {

void LimitJudge::changed(FlowId flow) {
  std::erase_if(times_, [&](const auto& entry) { return entry.first.first == flow; });
}

// In any stretch of time there are at most as many claims as the rate says for it, beyond the first.
void LimitJudge::check_rate(const std::string& text, const std::vector<Time>& claims,
                            const std::string& what, const Violated& violated) const {
  const auto slash = text.find('/');
  const double count = std::stod(text.substr(0, slash));  // the schedules say all rates in seconds
  const double per = std::stod(text.substr(slash + 1));
  for (std::size_t first = 0; first < claims.size(); ++first) {
    const double seconds = std::chrono::duration<double>(claims.back() - claims[first]).count();
    const auto made = static_cast<double>(claims.size() - first);
    if (made > count * (1 + seconds / per) + 0.01)
      return violated(fmt::format("C6: {} runs of {} are claimed within {:.3f} s at a rate of {}",
                                  claims.size() - first, what, seconds, text));
  }
}

void LimitJudge::claimed(const SimulatedDatabase& database, const std::vector<RunKey>& runs,
                         const Violated& violated) {
  const Tables& tables = database.tables();
  const auto flow_of = [&](RunKey run) {
    return database.version(tables.runs.at(run).version).flow;
  };
  for (const RunKey run : runs) {
    const FlowId flow = flow_of(run);
    const auto found = tables.limits.find(flow);
    if (found == tables.limits.end()) continue;
    ++claims_;
    const FlowLimits& limits = found->second.limits;
    const auto key_of = [&](RunKey each) {
      return limit_key(found->second.path, tables.runs.at(each).input);
    };
    const std::string key = limits.key ? key_of(run) : "-";
    std::int64_t held = 0, held_of_key = 0;
    for (const auto& [other, open] : tables.open_runs) {
      if (!open.worker || flow_of(other) != flow) continue;
      ++held;
      held_of_key += limits.key && key_of(other) == key;
    }
    const std::string what = fmt::format("flow {}", tables.flows.at(flow).slug);
    const std::string what_key = fmt::format("{} with key {}", what, key);
    if (limits.max_running && held > *limits.max_running)
      violated(
          fmt::format("C6: workers hold {} runs of {}, not {}", held, what, *limits.max_running));
    if (limits.key_max_running && key != "-" && held_of_key > *limits.key_max_running)
      violated(fmt::format("C6: workers hold {} runs of {}, not {}", held_of_key, what_key,
                           *limits.key_max_running));
    times_[{flow, ""}].push_back(database.now());
    times_[{flow, key}].push_back(database.now());
    if (limits.rate) check_rate(*limits.rate, times_.at({flow, ""}), what, violated);
    if (limits.key_rate && key != "-")
      check_rate(*limits.key_rate, times_.at({flow, key}), what_key, violated);
  }
}

}  // namespace weir::simulation
