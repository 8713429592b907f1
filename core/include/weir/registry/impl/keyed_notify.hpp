/// KeyedRegistry: what happens after a change, with no lock held: listeners are notified, and what
/// was unlinked is retired.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

// One thread at a time notifies for a partition, in the order of the commits; others leave their
// changes to it. It clears `notifying` under the mutex under which changes are added, and only when
// none is left: so none is forgotten.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::notify(Partition& partition) noexcept {
  if (listeners_.empty()) return;
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
    for (const PendingChange& change : batch)
      for (const Listener& listener : listeners_)
        listener({change.what, change.key, change.owner, keyed::value_of<Value>(change.stored)});
  }
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::retire(const Unlinked& unlinked) {
  if (unlinked.bucket != nullptr) epochs_.retire(unlinked.bucket, &release_link);
  if (unlinked.array != nullptr) epochs_.retire(unlinked.array);
}

}  // namespace weir
