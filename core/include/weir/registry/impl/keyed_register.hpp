/// KeyedRegistry: register_. The owner's record is locked, then the partition; what was unlinked is
/// retired, and listeners are notified, after both are free again.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
Result<void> KeyedRegistry<Key, Value, Sync, Hash>::register_(Owner& owner, Key key, Value value) {
  return register_stored(owner, std::move(key), keyed::make_stored<Value>(std::move(value)));
}

template <class Key, class Value, class Sync, class Hash>
Result<void> KeyedRegistry<Key, Value, Sync, Hash>::register_(Owner& owner, Key key) {
  if (!owner.record_) return std::unexpected(foreign_owner(owner.name()));
  if (!owner.record_->own) return std::unexpected(no_value(*owner.record_));
  return register_stored(owner, std::move(key), *owner.record_->own);
}

template <class Key, class Value, class Sync, class Hash>
Result<void> KeyedRegistry<Key, Value, Sync, Hash>::register_stored(Owner& owner, Key key,
                                                                    keyed::Stored<Value> stored) {
  if (!owner.record_ || owner.record_->registry != this)
    return std::unexpected(foreign_owner(owner.name()));
  const std::uint64_t hash = Hash{}(key);
  Partition& partition = partition_of(hash);
  Unlinked unlinked;
  const Result<void> outcome = [&] {
    const std::scoped_lock owner_lock(owner.record_->mutex);
    return register_locked(*owner.record_, partition, hash, key, stored, unlinked);
  }();
  if (!outcome) return outcome;
  retire(unlinked);
  notify(partition);
  return outcome;
}

template <class Key, class Value, class Sync, class Hash>
Result<void> KeyedRegistry<Key, Value, Sync, Hash>::register_locked(Record& record,
                                                                    Partition& partition,
                                                                    std::uint64_t hash, Key& key,
                                                                    keyed::Stored<Value>& stored,
                                                                    Unlinked& unlinked) {
  if (record.ended) return std::unexpected(owner_ended(record));
  const std::scoped_lock lock(partition.mutex);
  Node* const node = find(partition, hash, key);
  if (node != nullptr && options_.keys == Keys::unique)
    return std::unexpected(already_registered(*node->bucket.load(std::memory_order_relaxed)));
  publish(node, record, partition, hash, key, stored, unlinked);
  return {};
}

// Everything that may throw comes before the first change.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::publish(Node* node, Record& record,
                                                    Partition& partition, std::uint64_t hash,
                                                    Key& key, keyed::Stored<Value>& stored,
                                                    Unlinked& unlinked) {
  std::optional<PendingChange> change;
  if (!listeners_.empty()) {
    change.emplace(PendingChange{Change::What::registered, key, record.id, stored});
    keyed::make_room(partition.pending);
  }
  keyed::make_room(record.nodes);
  Slot slot{record.id, partition.next_serial++, &record, std::move(stored)};
  if (node != nullptr) {
    unlinked.bucket = node->bucket.load(std::memory_order_relaxed);
    auto made = Bucket::with(*unlinked.bucket, std::move(slot));
    node->bucket.store(made.release(), std::memory_order_release);
  } else {
    auto made = Bucket::first(hash, std::move(key), std::move(slot));
    node = &made->node();
    unlinked.array = partition.table.insert(*node);
    made.release();
  }
  record.nodes.push_back(node);
  if (change) partition.pending.push_back(*std::move(change));
  partition.add_entries(1);
}

}  // namespace weir
