/// KeyedRegistry: listeners, and what happens after a change, with no lock held: they are notified,
/// and what was unlinked is retired.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

// Those of `old` that have not ended, and one more.
template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::with(const std::shared_ptr<const Listeners>& old,
                                                 std::shared_ptr<Listening> added)
    -> std::shared_ptr<const Listeners> {
  auto next = std::make_shared<Listeners>();
  if (old != nullptr)
    for (const auto& each : *old)
      if (!each->has_ended()) next->push_back(each);
  if (added != nullptr) next->push_back(std::move(added));
  return next->empty() ? nullptr : next;
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::listen(Listener listener) -> Subscription {
  auto listening = std::make_shared<Listening>(std::move(listener), partitions());
  Subscription subscription(listening);
  for (std::size_t i = 0; i < partitions(); ++i) {
    const std::scoped_lock lock(partitions_[i].mutex);
    partitions_[i].listeners = with(partitions_[i].listeners, listening);
  }
  return subscription;
}

// One thread at a time notifies for a partition, in the order of the commits; others leave their
// changes to it. It clears `notifying` under the mutex under which changes are added, and only when
// none is left: so none is forgotten.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::notify(Partition& partition) noexcept {
  {
    const std::scoped_lock lock(partition.mutex);
    if (std::exchange(partition.notifying, true)) return;
  }
  for (std::vector<PendingChange> batch;; batch.clear()) {
    {
      const std::scoped_lock lock(partition.mutex);
      if (partition.pending.empty()) {
        partition.notifying = false;
        return;
      }
      batch.swap(partition.pending);
    }
    bool has_ended = false;
    for (const PendingChange& change : batch)
      for (const std::shared_ptr<Listening>& each : *change.listeners)
        if (!each->tell(
                {change.what, change.key, change.owner, keyed::value_of<Value>(change.stored)}))
          has_ended = true;
    if (!has_ended) continue;
    const std::scoped_lock lock(partition.mutex);
    partition.listeners = with(partition.listeners, nullptr);
  }
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::retire(const Afterwards& afterwards) {
  if (afterwards.unlinked_bucket != nullptr)
    epochs_.retire(afterwards.unlinked_bucket, &release_link);
  if (afterwards.unlinked_array != nullptr) epochs_.retire(afterwards.unlinked_array);
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::finish(Partition& partition,
                                                   const Afterwards& afterwards) {
  retire(afterwards);
  if (afterwards.notify) notify(partition);
}

}  // namespace weir
