/// KeyedRegistry: what comes after a change, with no lock held: listeners, and the end of what was
/// unlinked.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

// One thread tells for a partition, in the order of the commits; others leave theirs to it. Whoever
// finds nothing left says so under the mutex under which changes are added: none is forgotten.
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
