#include "worker/flow_workers.hpp"

#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"

namespace weir {

const std::shared_ptr<FlowWorkers>& FlowWorkers::of_this_process() {
  // Never destroyed: threads that were left behind may stand in it when the process ends.
  static const auto& workers = *new std::shared_ptr<FlowWorkers>(std::make_shared<FlowWorkers>());
  return workers;
}

FlowWorkers::Place FlowWorkers::enter(const Standing& worker, const std::vector<std::string>& slugs,
                                      std::function<void()> ring) {
  auto bell = std::make_shared<Bell>(std::move(ring));
  Place place(bell, registry_.owner(fmt::format("worker {}", worker.worker), Entry{worker, bell}));
  for (const std::string& slug : slugs) {
    const auto entered = registry_.register_(place.owner_, slug);
    WEIR_ASSERT(entered.has_value());  // a new owner, under a duplicate key
  }
  return place;
}

std::size_t FlowWorkers::wake(std::string_view slug) const {
  std::size_t woken = 0;
  registry_.dispatch(slug, [&](const Registry::View& view) { woken += view.value.bell->ring(); });
  return woken;
}

std::vector<FlowWorkers::Standing> FlowWorkers::serving(std::string_view slug) const {
  std::vector<Standing> found;
  registry_.look(slug, [&](const Registry::View& view) { found.push_back(view.value.standing); });
  return found;
}

}  // namespace weir
