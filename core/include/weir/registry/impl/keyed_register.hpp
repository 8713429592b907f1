/// KeyedRegistry: register_. The owner's record is locked, then the partition; what was unlinked is
/// retired, and listeners are notified, after both are free again.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::register_(Owner& owner, Key key, Value value)
    -> std::expected<void, RegisterError> {
  return register_stored(owner, std::move(key), keyed::make_stored<Value>(std::move(value)));
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::register_(Owner& owner, Key key)
    -> std::expected<void, RegisterError> {
  if (!owner.record_) return std::unexpected(RegisterError{foreign_owner(owner.name())});
  if (!owner.record_->own) return std::unexpected(RegisterError{no_value(*owner.record_)});
  return register_stored(owner, std::move(key), *owner.record_->own);
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::register_stored(Owner& owner, Key key,
                                                            keyed::Stored<Value> stored)
    -> Registered {
  if (!owner.record_ || owner.record_->registry != this)
    return std::unexpected(RegisterError{foreign_owner(owner.name())});
  const std::uint64_t hash = Hash{}(key);
  Partition& partition = partition_of(hash);
  Afterwards afterwards;
  Registered outcome = [&] {
    const std::scoped_lock owner_lock(owner.record_->mutex);
    return register_locked(*owner.record_, partition, hash, key, stored, afterwards);
  }();
  if (outcome) finish(partition, afterwards);
  return outcome;
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::register_locked(Record& record, Partition& partition,
                                                            std::uint64_t hash, Key& key,
                                                            keyed::Stored<Value>& stored,
                                                            Afterwards& afterwards) -> Registered {
  if (record.ended) return std::unexpected(RegisterError{owner_ended(record)});
  const std::scoped_lock lock(partition.mutex);
  Node* const node = find(partition, hash, key);
  if (node != nullptr && options_.keys == Keys::unique)
    return std::unexpected(already_registered(*node->bucket.load(std::memory_order_relaxed)));
  publish(node, record, partition, hash, key, stored, afterwards);
  return {};
}

// Everything that may throw comes before the first change.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::publish(Node* node, Record& record,
                                                    Partition& partition, std::uint64_t hash,
                                                    Key& key, keyed::Stored<Value>& stored,
                                                    Afterwards& afterwards) {
  std::optional<PendingChange> change;
  if (partition.listeners != nullptr) {
    change.emplace(
        PendingChange{Change::What::registered, key, record.id, stored, partition.listeners});
    keyed::make_room(partition.pending);
  }
  record.holdings.make_room(node);
  const std::uint64_t serial = partition.next_serial++;
  Slot slot{record.id, serial, serial, std::move(stored)};
  if (node != nullptr) {
    afterwards.unlinked_bucket = node->bucket.load(std::memory_order_relaxed);
    auto made = Bucket::with(*afterwards.unlinked_bucket, std::move(slot));
    node->bucket.store(made.release(), std::memory_order_release);
  } else {
    auto made = Bucket::first(hash, std::move(key), std::move(slot));
    node = &made->node();
    afterwards.unlinked_array = partition.table.insert(*node);
    made.release();
  }
  record.holdings.add(*node, serial);
  afterwards.notify = change.has_value();
  if (change) partition.pending.push_back(*std::move(change));
  partition.add_entries(1);
}

}  // namespace weir
