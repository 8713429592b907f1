#include "worker/outbox.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/assert.hpp"

namespace weir {
namespace {

// Moves the items of these runs to the end of `kept`; the others are dropped.
template <class Item>
void keep(std::vector<Item>& items, const std::set<RunKey>& runs, std::vector<Item>& kept) {
  std::ranges::copy_if(std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()),
                       std::back_inserter(kept),
                       [&](const Item& item) { return runs.contains(item.run); });
  items.clear();
}

}  // namespace

void Outbox::settle(RunKey run, JournalRow row, std::optional<PluginId> plugin) {
  bytes_ += 256 + row.error.size() + (row.output ? row.output->text().size() : 0);
  request_.settled.push_back({run, std::move(row), plugin});
}

void Outbox::end(RunKey run, const RunEnd& end, const Relations& relations) {
  if (end.status == RunStatus::completed) bytes_ += end.output.text().size();
  request_.ended.push_back({run, end, relations});
}

void Outbox::publish(RunKey key, const OwnedRun& run, EventKind kind,
                     std::optional<std::size_t> step) {
  if (!publishes_events()) return;
  const FlowDefinition& flow = run.flow()->definition;
  const std::string name =
      event_name(kind, step ? std::optional(flow.steps()[*step].slug.view()) : std::nullopt);
  if (listeners_elsewhere_) request_.events.push_back({.run = key, .name = name});
  if (listeners_here_)
    local_events_.push_back(
        {key, {.run_id = run.id(), .flow = flow.slug().string(), .name = name}});
}

ExchangeRequest& Outbox::send(Steady now) {
  WEIR_ASSERT(!under_way_);
  retry_busy(now);
  std::swap(sent_, request_);
  request_.worker = sent_.worker;
  request_.lease = sent_.lease;
  request_.versions = sent_.versions;
  sent_local_events_ = std::exchange(local_events_, {});
  under_way_ = true;
  bytes_ = 0;
  hurries_ = false;
  return sent_;
}

std::vector<RunEvent> Outbox::answered(const ExchangeReply& reply, Steady now) {
  std::vector<RunEvent> committed;
  for (const LocalEvent& local : sent_local_events_)
    if (!reply.busy.contains(local.run) && !reply.refused.contains(local.run))
      committed.push_back(local.event);

  keep(sent_.ended, reply.busy, busy_.ended);
  keep(sent_.released, reply.busy, busy_.released);
  keep(sent_.events, reply.busy, busy_.events);
  keep(sent_local_events_, reply.busy, busy_.local_events);
  if (!reply.busy.empty() && !retry_at_) retry_at_ = now + busy_pause;
  request_.expects_busy = retry_at_.has_value();
  sent_.settled.clear();
  sent_.acknowledged.clear();
  sent_.in_flight.clear();
  under_way_ = false;
  return committed;
}

void Outbox::drop_run(RunKey run) {
  const auto drop = [run](auto&... items) {
    (std::erase_if(items, [run](const auto& item) { return item.run == run; }), ...);
  };
  for (ExchangeRequest* const request : {&request_, &sent_})
    drop(request->settled, request->ended, request->released, request->acknowledged,
         request->events);
  drop(local_events_, sent_local_events_, busy_.ended, busy_.released, busy_.events,
       busy_.local_events);
}

std::set<RunKey> Outbox::left(const ExchangeReply& reply) const {
  std::set<RunKey> runs;
  const auto add = [&](const auto& sent) {
    for (const auto& each : sent)
      if (!reply.busy.contains(each.run) && !reply.refused.contains(each.run))
        runs.insert(each.run);
  };
  add(sent_.ended);
  add(sent_.released);
  return runs;
}

void Outbox::retry_busy(Steady now) {
  if (!retry_at_ || now < *retry_at_) return;
  std::set<RunKey> sent;
  const auto send = [&](auto& again, auto& request) {
    std::erase_if(again, [&](auto& item) {
      if (sent.size() >= retries_max && !sent.contains(item.run)) return false;
      sent.insert(item.run);
      request.push_back(std::move(item));
      return true;
    });
  };
  send(busy_.ended, request_.ended);
  send(busy_.released, request_.released);
  send(busy_.events, request_.events);
  send(busy_.local_events, local_events_);
  retry_at_.reset();
  if (!busy_.ended.empty() || !busy_.released.empty()) retry_at_ = now + busy_pause;
}

}  // namespace weir
