#include "worker/flow_workers.hpp"

#include <set>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"

namespace weir {
namespace {

constexpr std::string_view all_workers;  // no slug is empty

}  // namespace

const std::shared_ptr<FlowWorkers>& FlowWorkers::of_this_process() {
  // Never destroyed: threads that were left behind may still use it when the process ends.
  static const auto& workers = *new std::shared_ptr<FlowWorkers>(std::make_shared<FlowWorkers>());
  return workers;
}

FlowWorkers::Registration FlowWorkers::register_worker(const WorkerInfo& worker,
                                                       const std::vector<std::string>& slugs,
                                                       std::function<void()> runs,
                                                       std::function<void()> flows) {
  auto waker = std::make_shared<Waker>(std::move(runs), std::move(flows));
  Registration registration(
      registry_, waker,
      registry_.owner(fmt::format("worker {}", worker.worker), Entry{worker, waker}));
  registration.serve(slugs);
  return registration;
}

void FlowWorkers::Registration::serve(const std::vector<std::string>& slugs) {
  std::set<std::string> wanted(slugs.begin(), slugs.end());
  wanted.emplace(all_workers);
  for (const std::string& registered : registry_->keys(owner_))
    if (wanted.erase(registered) == 0) registry_->unregister(owner_, registered);
  for (const std::string& slug : wanted) {
    const auto done = registry_->register_(owner_, slug);
    WEIR_ASSERT(done.has_value());  // duplicate keys are allowed
  }
}

std::size_t FlowWorkers::wake_all() const {
  return registry_.dispatch(all_workers,
                            [](const Registry::View& view) { view.value.waker->flows(); });
}

std::size_t FlowWorkers::wake(std::string_view slug) const {
  std::size_t woken = 0;
  registry_.dispatch(slug, [&](const Registry::View& view) { woken += view.value.waker->runs(); });
  return woken;
}

std::vector<FlowWorkers::WorkerInfo> FlowWorkers::serving(std::string_view slug) const {
  std::vector<WorkerInfo> found;
  registry_.look(slug, [&](const Registry::View& view) { found.push_back(view.value.info); });
  return found;
}

}  // namespace weir
