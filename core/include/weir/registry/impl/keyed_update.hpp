/// KeyedRegistry: update_value. The function is called without a lock; its values are published if
/// those it was given are still current, else it is called again.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
template <class Function>
Result<std::size_t> KeyedRegistry<Key, Value, Sync, Hash>::update_value(Owner& owner, Sought key,
                                                                        Function&& change) {
  if (!owner.record_ || owner.record_->registry != this)
    return std::unexpected(foreign_owner(owner.name()));
  Record& record = *owner.record_;
  const std::uint64_t hash = Hash{}(key);
  Partition& partition = partition_of(hash);
  for (;;) {
    struct Changed {
      std::uint64_t serial;
      keyed::Stored<Value> stored;
    };
    std::vector<Changed> changed;
    for (const Pin pinned = pin(key); const Slot& slot : pinned.slots())
      if (slot.owner == record.id)
        changed.push_back({slot.serial, keyed::make_stored<Value>(change(slot.value()))});
    if (changed.empty()) return std::unexpected(not_registered(record.name, key));

    Unlinked unlinked;
    {
      const std::scoped_lock lock(partition.mutex);
      Node* const node = find(partition, hash, key);
      if (node == nullptr) continue;
      Bucket& old = *node->bucket.load(std::memory_order_relaxed);
      auto next = changed.begin();
      bool same = true;
      for (const Slot& slot : old.slots())
        if (slot.record == &record)
          same = same && next != changed.end() && next++->serial == slot.serial;
      if (!same || next != changed.end()) continue;
      next = changed.begin();
      auto made = Bucket::replaced(old, [&](const Slot& slot) {
        if (slot.record != &record) return slot;
        return Slot{slot.owner, partition.next_serial++, slot.record, std::move(next++->stored)};
      });
      node->bucket.store(made.release(), std::memory_order_release);
      unlinked.bucket = &old;
    }
    retire(unlinked);
    return changed.size();
  }
}

}  // namespace weir
