/// KeyedRegistry: what happens after a change, with no lock held: listeners are notified, and what
/// was unlinked is retired.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

// One thread at a time notifies for a partition, in the order of the commits; others leave their
// changes to it. It clears `telling` under the mutex under which changes are added, and only when
// none is left: so none is forgotten.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::tell(Partition& partition) noexcept {
  if (listeners_.empty()) return;
  {
    const std::scoped_lock lock(partition.mutex);
    if (std::exchange(partition.telling, true)) return;
  }
  for (std::vector<Told> batch;; batch.clear()) {
    {
      const std::scoped_lock lock(partition.mutex);
      if (partition.untold.empty()) {
        partition.telling = false;
        return;
      }
      batch.swap(partition.untold);
    }
    for (const Told& told : batch)
      for (const Listener& listener : listeners_)
        listener({told.what, told.key, told.owner, keyed::shown<Value>(told.held)});
  }
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::retire(const Unlinked& unlinked) {
  if (unlinked.bucket != nullptr) epochs_.retire(unlinked.bucket, &release_link);
  if (unlinked.array != nullptr) epochs_.retire(unlinked.array);
}

}  // namespace weir
