/// KeyedRegistry: update_value. The function is called without a lock; its values are published if
/// those it was given are still current, else it is called again.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
template <class Function>
auto KeyedRegistry<Key, Value, Sync, Hash>::update_value(Owner& owner, Sought key,
                                                         Function&& change)
    -> Result<std::vector<Update>> {
  if (!owner.record_ || owner.record_->registry != this)
    return std::unexpected(foreign_owner(owner.name()));
  Record& record = *owner.record_;
  const std::uint64_t hash = Hash{}(key);
  Partition& partition = partition_of(hash);
  for (;;) {
    const Held before = held(record, hash, key);
    if (before.serials.empty()) return std::unexpected(not_registered(record.name, key));
    std::vector<Update> updates;
    std::vector<Edit> edits;
    for (const std::uint64_t serial : before.serials) {
      const Slot& slot = *before.pinned->find(serial);
      edits.push_back({serial, 0, keyed::make_stored<Value>(change(slot.value()))});
      updates.emplace_back(slot.stored, *edits.back().stored);
    }

    Afterwards afterwards;
    {
      const std::scoped_lock owner_lock(record.mutex);
      const std::scoped_lock lock(partition.mutex);
      Node* const node = unchanged(record, partition, hash, key, before);
      if (node == nullptr) continue;
      for (Edit& each : edits) each.version = partition.next_serial++;
      afterwards.unlinked_bucket = node->bucket.load(std::memory_order_relaxed);
      node->bucket.store(Bucket::edited(*afterwards.unlinked_bucket, edits).release(),
                         std::memory_order_release);
    }
    retire(afterwards);
    return updates;
  }
}

}  // namespace weir
