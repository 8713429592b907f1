#include "worker/run_events.hpp"

#include "base/assert.hpp"

namespace weir {
namespace {

constexpr std::string_view of_all;  // no slug is empty

}  // namespace

const std::shared_ptr<RunEvents>& RunEvents::of_this_process() {
  // Never destroyed: threads that were left behind may still use it when the process ends.
  static const auto& events = *new std::shared_ptr<RunEvents>(std::make_shared<RunEvents>());
  return events;
}

RunEvents::Subscription RunEvents::listen(Listener listener, const std::string& slug) {
  auto owner = registry_.owner("listener", std::make_shared<const Listener>(std::move(listener)));
  const auto done = registry_.register_(owner, slug);
  WEIR_ASSERT(done.has_value());  // duplicate keys are allowed
  return Subscription(std::move(owner));
}

void RunEvents::publish(const std::vector<RunEvent>& events) const {
  for (const RunEvent& event : events)
    for (const std::string_view key : {of_all, std::string_view(event.flow)})
      registry_.dispatch(key, [&](const Registry::View& view) { (*view.value)(event); });
}

}  // namespace weir
