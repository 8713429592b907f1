/// KeyedRegistry: unregister and unregister_match. The owner's record is locked, then the
/// partition; predicates are called before, on a pinned bucket.
#pragma once
#include <algorithm>
#include <cassert>

#include <weir/registry/keyed_registry.hpp>

namespace weir {

// Under the partition's mutex and the record's: removes the slots of a node for which `is_removed`
// is true. The caller removes the node from the record's list the same number of times.
template <class Key, class Value, class Sync, class Hash>
template <class Predicate>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::remove_slots(Partition& partition, Node& node,
                                                                Predicate&& is_removed,
                                                                Unlinked& unlinked) {
  Bucket& old = *node.bucket.load(std::memory_order_relaxed);
  std::size_t removed = 0;
  for (const Slot& each : old.slots()) {
    if (!is_removed(each)) continue;
    ++removed;
    if (!listeners_.empty())
      partition.pending.push_back({Change::What::unregistered, node.key, each.owner, each.stored});
  }
  if (removed == 0) return 0;
  if (removed == old.slots().size()) {
    // The node keeps its last bucket: a reader that found the node before sees what was there then.
    unlinked.array = partition.table.erase(node);
    node.unlinked = true;
  } else {
    auto made = Bucket::without(old, removed, is_removed);
    node.bucket.store(made.release(), std::memory_order_release);
  }
  unlinked.bucket = &old;
  partition.add_entries(-removed);
  return removed;
}

template <class Key, class Value, class Sync, class Hash>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::unregister(Owner& owner, Sought key) {
  if (!owner.record_ || owner.record_->registry != this) return 0;
  Record& record = *owner.record_;
  const std::uint64_t hash = Hash{}(key);
  Partition& partition = partition_of(hash);
  Unlinked unlinked;
  std::size_t removed = 0;
  {
    const std::scoped_lock owner_lock(record.mutex);
    const std::scoped_lock lock(partition.mutex);
    if (Node* const node = find(partition, hash, key)) {
      removed = remove_slots(
          partition, *node, [&](const Slot& slot) { return slot.record == &record; }, unlinked);
      if (removed > 0) {
        [[maybe_unused]] const std::size_t listed = std::erase(record.nodes, node);
        assert(listed == removed);  // once for each entry
      }
    }
  }
  if (removed == 0) return 0;
  retire(unlinked);
  notify(partition);
  return removed;
}

template <class Key, class Value, class Sync, class Hash>
template <class Predicate>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::unregister_match(Owner& owner, Sought key,
                                                                    Predicate&& predicate) {
  if (!owner.record_ || owner.record_->registry != this) return 0;
  Record& record = *owner.record_;
  const std::uint64_t hash = Hash{}(key);
  Partition& partition = partition_of(hash);
  for (;;) {
    // The predicate is called without a lock; if the owner's entries changed since, it is called
    // again for all of them.
    std::vector<std::uint64_t> checked;
    std::vector<std::uint64_t> matched;
    for (const Pin pinned = pin(key); const Slot& slot : pinned.slots()) {
      if (slot.owner != record.id) continue;
      checked.push_back(slot.serial);
      if (predicate(slot.value())) matched.push_back(slot.serial);
    }
    if (matched.empty()) return 0;

    Unlinked unlinked;
    std::size_t removed = 0;
    {
      const std::scoped_lock owner_lock(record.mutex);
      const std::scoped_lock lock(partition.mutex);
      Node* const node = find(partition, hash, key);
      if (node == nullptr) return 0;
      auto next = checked.begin();
      bool same = true;
      for (const Slot& slot : node->bucket.load(std::memory_order_relaxed)->slots())
        if (slot.record == &record) same = same && next != checked.end() && *next++ == slot.serial;
      if (!same || next != checked.end()) continue;
      removed = remove_slots(
          partition, *node,
          [&](const Slot& slot) { return std::ranges::binary_search(matched, slot.serial); },
          unlinked);
      std::size_t left = removed;
      std::erase_if(record.nodes,
                    [&](const Node* each) { return each == node && left > 0 && left-- > 0; });
      assert(left == 0);  // it was listed once for each entry
    }
    retire(unlinked);
    notify(partition);
    return removed;
  }
}

}  // namespace weir
