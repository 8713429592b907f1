#include "worker/outbox.hpp"

namespace weir {

void Outbox::settle(RunKey run, JournalRow row, std::optional<PluginId> plugin) {
  bytes_ += 256 + row.error.size() + (row.output ? row.output->text().size() : 0);
  request_.settled.push_back({run, std::move(row), plugin});
}

void Outbox::publish(RunKey key, const OwnedRun& run, EventKind kind,
                     std::optional<std::size_t> step) {
  if (!publishes_events()) return;
  const FlowDefinition& flow = run.flow()->definition;
  const std::string name =
      event_name(kind, step ? std::optional(flow.steps()[*step].slug.view()) : std::nullopt);
  if (listeners_elsewhere_) request_.events.push_back({.run = key, .name = name});
  if (listeners_here_)
    events_.push_back({.run_id = run.id(), .flow = flow.slug().string(), .name = name});
}

std::vector<RunEvent> Outbox::clear() {
  request_.settled.clear();
  request_.ended.clear();
  request_.released.clear();
  request_.acknowledged.clear();
  request_.events.clear();
  bytes_ = 0;
  return std::exchange(events_, {});
}

}  // namespace weir
