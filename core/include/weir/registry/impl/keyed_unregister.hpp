/// KeyedRegistry: unregister and unregister_match. The owner's record is locked, then the
/// partition; predicates are called before, on a pinned bucket.
#pragma once
#include <algorithm>
#include <cassert>

#include <weir/registry/keyed_registry.hpp>

namespace weir {

// Under the partition's mutex and the record's: removes the slots with these serials, which are in
// their order. The caller removes them from the record's holdings.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::remove(Partition& partition, Node& node,
                                                   std::span<const std::uint64_t> serials,
                                                   Afterwards& afterwards) {
  Bucket& old = *node.bucket.load(std::memory_order_relaxed);
  std::vector<PendingChange> changes;
  if (partition.listeners != nullptr) {
    for (const std::uint64_t serial : serials) {
      const Slot& slot = *old.find(serial);
      changes.push_back(
          {Change::What::unregistered, node.key, slot.owner, slot.stored, partition.listeners});
    }
    partition.pending.reserve(partition.pending.size() + changes.size());
  }
  if (serials.size() == old.size()) {
    // The node keeps its last bucket: a reader that found the node before sees what was there then.
    afterwards.unlinked_array = partition.table.erase(node);
  } else {
    std::vector<Edit> edits;
    edits.reserve(serials.size());
    for (const std::uint64_t serial : serials) edits.push_back({serial});
    node.bucket.store(Bucket::edited(old, edits).release(), std::memory_order_release);
  }
  afterwards.unlinked_bucket = &old;
  afterwards.notify = !changes.empty();
  std::ranges::move(changes, std::back_inserter(partition.pending));
  partition.add_entries(-serials.size());
}

template <class Key, class Value, class Sync, class Hash>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::unregister(Owner& owner, Sought key) {
  if (!owner.record_ || owner.record_->registry != this) return 0;
  Record& record = *owner.record_;
  const std::uint64_t hash = Hash{}(key);
  Partition& partition = partition_of(hash);
  Afterwards afterwards;
  std::size_t removed = 0;
  {
    const std::scoped_lock owner_lock(record.mutex);
    const std::scoped_lock lock(partition.mutex);
    Node* const node = find(partition, hash, key);
    auto* const holding = node == nullptr ? nullptr : record.holdings.find(*node);
    if (holding == nullptr) return 0;
    removed = holding->serials().size();
    remove(partition, *node, holding->serials(), afterwards);
    record.holdings.erase(*holding);
  }
  finish(partition, afterwards);
  return removed;
}

// Its entries under the key at one moment.
template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::held(Record& record, std::uint64_t hash, Sought key)
    -> Held {
  const std::scoped_lock owner_lock(record.mutex);
  Partition& partition = partition_of(hash);
  const std::scoped_lock lock(partition.mutex);
  Node* const node = find(partition, hash, key);
  const auto* const holding = node == nullptr ? nullptr : record.holdings.find(*node);
  if (holding == nullptr) return {};
  const auto serials = holding->serials();
  return {Pin(node->bucket.load(std::memory_order_relaxed)), {serials.begin(), serials.end()}};
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
    const Held checked = held(record, hash, key);
    std::vector<std::uint64_t> matched;
    for (const std::uint64_t serial : checked.serials)
      if (predicate(checked.pinned->find(serial)->value())) matched.push_back(serial);
    if (matched.empty()) return 0;

    Afterwards afterwards;
    {
      const std::scoped_lock owner_lock(record.mutex);
      const std::scoped_lock lock(partition.mutex);
      Node* const node = unchanged(record, partition, hash, key, checked);
      if (node == nullptr) continue;
      auto& holding = *record.holdings.find(*node);
      remove(partition, *node, matched, afterwards);
      if (matched.size() == checked.serials.size())
        record.holdings.erase(holding);
      else
        holding.erase(matched);
    }
    finish(partition, afterwards);
    return matched.size();
  }
}

// Under the record's mutex and the partition's: the node of the key, when the owner's entries there
// and their values are what they were; else null.
template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::unchanged(Record& record, Partition& partition,
                                                      std::uint64_t hash, Sought key,
                                                      const Held& before) -> Node* {
  Node* const node = find(partition, hash, key);
  const auto* const holding = node == nullptr ? nullptr : record.holdings.find(*node);
  if (holding == nullptr || !std::ranges::equal(holding->serials(), before.serials)) return nullptr;
  const Bucket& bucket = *node->bucket.load(std::memory_order_relaxed);
  const bool same = std::ranges::all_of(before.serials, [&](std::uint64_t serial) {
    return bucket.find(serial)->version == before.pinned->find(serial)->version;
  });
  return same ? node : nullptr;
}

}  // namespace weir
