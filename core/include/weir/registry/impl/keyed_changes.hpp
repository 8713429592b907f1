/// KeyedRegistry: what writers do. A writer locks the owner's record, then the partition; it
/// retires what it unlinked, and tells listeners, after both are free again.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
KeyedRegistry<Key, Value, Sync, Hash>::KeyedRegistry(Options options)
    : options_(std::move(options)),
      partition_mask_(std::bit_ceil(std::max<std::size_t>(options_.partitions, 1)) - 1),
      partitions_(new Partition[partition_mask_ + 1]) {}

template <class Key, class Value, class Sync, class Hash>
KeyedRegistry<Key, Value, Sync, Hash>::~KeyedRegistry() {
  // Acquire: the last owner's end comes before ours. Pairs with the decrement in end().
  if (owners_.load(std::memory_order_acquire) != 0) {
    std::fprintf(stderr, "%s: the registry goes while %zu of its owners live\n",
                 options_.name.c_str(), owners_.load(std::memory_order_relaxed));
    std::abort();
  }
  for (std::size_t i = 0; i < partitions(); ++i)
    partitions_[i].table.each(
        [](const Node& node) { Bucket::release(node.bucket.load(std::memory_order_relaxed)); });
  delete meta_.load(std::memory_order_relaxed);
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::owner(std::string name, std::optional<Value> own)
    -> Owner {
  auto record = std::make_unique<Record>();
  record->registry = this;
  record->id = next_owner_.fetch_add(1, std::memory_order_relaxed);
  record->name = std::move(name);
  if (own) record->own.emplace(keyed::hold<Value>(*std::move(own)));
  owners_.fetch_add(1, std::memory_order_relaxed);
  return Owner(std::move(record));
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::Owner::operator=(Owner&& other) noexcept -> Owner& {
  if (this == &other) return *this;
  end();
  record_ = std::move(other.record_);
  return *this;
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::Owner::end() noexcept {
  if (record_) record_->registry->end(*record_);
}

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

// What may throw comes before the first change.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::publish(Node* node, Record& record,
                                                    Partition& partition, std::uint64_t hash,
                                                    Key& key, keyed::Held<Value>& held,
                                                    Unlinked& unlinked) {
  std::optional<Told> told;
  if (!options_.listeners.empty()) {
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

// Under the partition's mutex and the record's: takes out the slots of a node for which `leaves` is
// true. The caller takes the node from the record's list as often.
template <class Key, class Value, class Sync, class Hash>
template <class Leaves>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::take_out(Partition& partition, Node& node,
                                                            Leaves&& leaves, Unlinked& unlinked) {
  Bucket& old = *node.bucket.load(std::memory_order_relaxed);
  std::size_t removed = 0;
  for (const Slot& each : old.slots()) {
    if (!leaves(each)) continue;
    ++removed;
    if (!options_.listeners.empty())
      partition.untold.push_back({Change::What::unregistered, node.key, each.owner, each.held});
  }
  if (removed == 0) return 0;
  if (removed == old.slots().size()) {
    // The node keeps its last bucket: who found the node before sees what stood there then.
    unlinked.array = partition.table.erase(node);
    node.unlinked = true;
  } else {
    auto made = Bucket::without(old, removed, leaves);
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
      removed = take_out(
          partition, *node, [&](const Slot& slot) { return slot.record == &record; }, unlinked);
      if (removed > 0) std::erase(record.held, node);
    }
  }
  if (removed == 0) return 0;
  retire(unlinked);
  tell(partition);
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
    // Judged without a lock; what was judged is what stands there still, or all is judged again.
    std::vector<std::uint64_t> judged;
    std::vector<std::uint64_t> condemned;
    for (const Pin pinned = pin(key); const Slot& slot : pinned.slots()) {
      if (slot.owner != record.id) continue;
      judged.push_back(slot.serial);
      if (predicate(slot.value())) condemned.push_back(slot.serial);
    }
    if (condemned.empty()) return 0;

    Unlinked unlinked;
    std::size_t removed = 0;
    {
      const std::scoped_lock owner_lock(record.mutex);
      const std::scoped_lock lock(partition.mutex);
      Node* const node = find(partition, hash, key);
      if (node == nullptr) return 0;
      auto next = judged.begin();
      bool same = true;
      for (const Slot& slot : node->bucket.load(std::memory_order_relaxed)->slots())
        if (slot.record == &record) same = same && next != judged.end() && *next++ == slot.serial;
      if (!same || next != judged.end()) continue;
      removed = take_out(
          partition, *node,
          [&](const Slot& slot) { return std::ranges::binary_search(condemned, slot.serial); },
          unlinked);
      std::size_t left = removed;
      std::erase_if(record.held,
                    [&](const Node* each) { return each == node && left > 0 && left-- > 0; });
    }
    retire(unlinked);
    tell(partition);
    return removed;
  }
}

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
      keyed::Held<Value> held;
    };
    std::vector<Changed> changed;
    for (const Pin pinned = pin(key); const Slot& slot : pinned.slots())
      if (slot.owner == record.id)
        changed.push_back({slot.serial, keyed::hold<Value>(change(slot.value()))});
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
        return Slot{slot.owner, partition.next_serial++, slot.record, std::move(next++->held)};
      });
      node->bucket.store(made.release(), std::memory_order_release);
      unlinked.bucket = &old;
    }
    retire(unlinked);
    return changed.size();
  }
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::end(Record& record) noexcept {
  std::vector<Unlinked> all;
  std::vector<Partition*> changed;
  {
    const std::scoped_lock owner_lock(
        record.mutex);  // held to the end: a second end() waits for us
    if (std::exchange(record.ended, true)) return;
    for (Node* const node : record.held) {
      Partition& partition = partition_of(node->hash);
      const std::scoped_lock lock(partition.mutex);
      if (node->unlinked) continue;  // stood here twice
      Unlinked unlinked;
      take_out(
          partition, *node, [&](const Slot& slot) { return slot.record == &record; }, unlinked);
      all.push_back(unlinked);
      changed.push_back(&partition);
    }
    record.held.clear();
  }
  for (const Unlinked& each : all) retire(each);
  for (Partition* const partition : changed) tell(*partition);
  if (!all.empty()) epochs_.sweep();
  owners_.fetch_sub(1, std::memory_order_release);  // pairs with the load in ~KeyedRegistry
}

// One thread tells for a partition, in the order of the commits; others leave theirs to it. Whoever
// finds nothing left says so under the mutex under which changes are added: none is forgotten.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::tell(Partition& partition) noexcept {
  if (options_.listeners.empty()) return;
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
      for (const Listener& listener : options_.listeners)
        listener({told.what, told.key, told.owner, keyed::shown<Value>(told.held)});
  }
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::retire(const Unlinked& unlinked) {
  if (unlinked.bucket != nullptr) epochs_.retire(unlinked.bucket, &release_link);
  if (unlinked.array != nullptr) epochs_.retire(unlinked.array);
}

template <class Key, class Value, class Sync, class Hash>
template <class Body>
void KeyedRegistry<Key, Value, Sync, Hash>::change_meta(Body&& change) {
  const Meta* old = nullptr;
  {
    const std::scoped_lock lock(meta_mutex_);
    old = meta_.load(std::memory_order_relaxed);
    auto next = old == nullptr ? std::make_unique<Meta>() : std::make_unique<Meta>(*old);
    change(*next);
    meta_.store(next.release(), std::memory_order_release);  // pairs with the load in meta()
  }
  if (old != nullptr) epochs_.retire(old);
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::put_meta(std::string name, std::any value) {
  const auto shared = std::make_shared<const std::any>(std::move(value));
  change_meta([&](Meta& meta) { meta.insert_or_assign(std::move(name), shared); });
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::delete_meta(std::string_view name) {
  change_meta([&](Meta& meta) {
    if (const auto found = meta.find(name); found != meta.end()) meta.erase(found);
  });
}

}  // namespace weir
