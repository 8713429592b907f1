#include "worker/flow_workers.hpp"

#include <set>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"

namespace weir {
namespace {

constexpr std::string_view everybody;  // no slug is empty

}  // namespace

const std::shared_ptr<FlowWorkers>& FlowWorkers::of_this_process() {
  // Never destroyed: threads that were left behind may still use it when the process ends.
  static const auto& workers = *new std::shared_ptr<FlowWorkers>(std::make_shared<FlowWorkers>());
  return workers;
}

FlowWorkers::Place FlowWorkers::enter(const Standing& worker, const std::vector<std::string>& slugs,
                                      std::function<void()> runs, std::function<void()> flows) {
  auto bell = std::make_shared<Bell>(std::move(runs), std::move(flows));
  Place place(registry_, bell,
              registry_.owner(fmt::format("worker {}", worker.worker), Entry{worker, bell}));
  place.serve(slugs);
  return place;
}

void FlowWorkers::Place::serve(const std::vector<std::string>& slugs) {
  std::set<std::string> wanted(slugs.begin(), slugs.end());
  wanted.emplace(everybody);
  for (const std::string& stands : registry_->keys(owner_))
    if (wanted.erase(stands) == 0) registry_->unregister(owner_, stands);
  for (const std::string& slug : wanted) {
    const auto entered = registry_->register_(owner_, slug);
    WEIR_ASSERT(entered.has_value());  // duplicate keys are allowed
  }
}

std::size_t FlowWorkers::wake_all() const {
  return registry_.dispatch(everybody,
                            [](const Registry::View& view) { view.value.bell->flows(); });
}

std::size_t FlowWorkers::wake(std::string_view slug) const {
  std::size_t woken = 0;
  registry_.dispatch(slug, [&](const Registry::View& view) { woken += view.value.bell->runs(); });
  return woken;
}

std::vector<FlowWorkers::Standing> FlowWorkers::serving(std::string_view slug) const {
  std::vector<Standing> found;
  registry_.look(slug, [&](const Registry::View& view) { found.push_back(view.value.standing); });
  return found;
}

}  // namespace weir
