/// KeyedRegistry: register_. The owner's record is locked, then the partition; what was unlinked is
/// retired, and listeners are notified, after both are free again.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
Result<void> KeyedRegistry<Key, Value, Sync, Hash>::register_(Owner& owner, Key key, Value value) {
  return enter(owner, std::move(key), keyed::hold<Value>(std::move(value)));
}

template <class Key, class Value, class Sync, class Hash>
Result<void> KeyedRegistry<Key, Value, Sync, Hash>::register_(Owner& owner, Key key) {
  if (!owner.record_) return std::unexpected(foreign_owner(owner.name()));
  if (!owner.record_->own) return std::unexpected(no_value(*owner.record_));
  return enter(owner, std::move(key), *owner.record_->own);
}

template <class Key, class Value, class Sync, class Hash>
Result<void> KeyedRegistry<Key, Value, Sync, Hash>::enter(Owner& owner, Key key,
                                                          keyed::Held<Value> held) {
  if (!owner.record_ || owner.record_->registry != this)
    return std::unexpected(foreign_owner(owner.name()));
  const std::uint64_t hash = Hash{}(key);
  Partition& partition = partition_of(hash);
  Unlinked unlinked;
  const Result<void> entered = [&] {
    const std::scoped_lock owner_lock(owner.record_->mutex);
    return enter_locked(*owner.record_, partition, hash, key, held, unlinked);
  }();
  if (!entered) return entered;
  retire(unlinked);
  tell(partition);
  return entered;
}

template <class Key, class Value, class Sync, class Hash>
Result<void> KeyedRegistry<Key, Value, Sync, Hash>::enter_locked(Record& record,
                                                                 Partition& partition,
                                                                 std::uint64_t hash, Key& key,
                                                                 keyed::Held<Value>& held,
                                                                 Unlinked& unlinked) {
  if (record.ended) return std::unexpected(owner_ended(record));
  const std::scoped_lock lock(partition.mutex);
  Node* const node = find(partition, hash, key);
  if (node != nullptr && options_.keys == Keys::unique)
    return std::unexpected(already_registered(*node->bucket.load(std::memory_order_relaxed)));
  publish(node, record, partition, hash, key, held, unlinked);
  return {};
}

// Everything that may throw comes before the first change.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::publish(Node* node, Record& record,
                                                    Partition& partition, std::uint64_t hash,
                                                    Key& key, keyed::Held<Value>& held,
                                                    Unlinked& unlinked) {
  std::optional<Told> told;
  if (!listeners_.empty()) {
    told.emplace(Told{Change::What::registered, key, record.id, held});
    keyed::make_room(partition.untold);
  }
  keyed::make_room(record.held);
  Slot slot{record.id, partition.next_serial++, &record, std::move(held)};
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
  record.held.push_back(node);
  if (told) partition.untold.push_back(*std::move(told));
  partition.add_entries(1);
}

}  // namespace weir
