/// A copy with a mistake: that nothing is left is seen and said under two locks.
///
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
      batch.swap(partition.untold);
    }
    if (batch.empty()) {
      // The mistake: a change that was added since the look is left to a thread that stops telling.
      const std::scoped_lock lock(partition.mutex);
      partition.telling = false;
      return;
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
