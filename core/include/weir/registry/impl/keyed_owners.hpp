/// KeyedRegistry: its own construction and destruction, and its owners'.
#pragma once
#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdio>
#include <cstdlib>

#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
KeyedRegistry<Key, Value, Sync, Hash>::KeyedRegistry(Options options,
                                                     std::vector<Listener> listeners)
    : options_(std::move(options)),
      listeners_(std::move(listeners)),
      partition_mask_(std::bit_ceil(std::max<std::size_t>(options_.partitions, 1)) - 1),
      partitions_(new Partition[partition_mask_ + 1]) {}

template <class Key, class Value, class Sync, class Hash>
KeyedRegistry<Key, Value, Sync, Hash>::~KeyedRegistry() {
  // Acquire: the last owner's end comes before the registry's. Pairs with the decrement in end().
  if (owners_.load(std::memory_order_acquire) != 0) {
    std::fprintf(stderr, "%s: the registry is destroyed while %zu of its owners live\n",
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
  if (own) record->own.emplace(keyed::make_stored<Value>(*std::move(own)));
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
void KeyedRegistry<Key, Value, Sync, Hash>::end(Record& record) noexcept {
  std::vector<Unlinked> all;
  std::vector<Partition*> changed;
  {
    // Locked to the end: a second end() waits for the first.
    const std::scoped_lock owner_lock(record.mutex);
    if (std::exchange(record.ended, true)) return;
    for (Node* const node : record.nodes) {
      Partition& partition = partition_of(node->hash);
      const std::scoped_lock lock(partition.mutex);
      if (node->unlinked) continue;  // it was in the list twice
      Unlinked unlinked;
      remove_slots(
          partition, *node, [&](const Slot& slot) { return slot.record == &record; }, unlinked);
      all.push_back(unlinked);
      changed.push_back(&partition);
    }
    record.nodes.clear();
  }
  for (const Unlinked& each : all) retire(each);
  for (Partition* const partition : changed) notify(*partition);
  if (!all.empty()) epochs_.sweep();
  // Pairs with the load in ~KeyedRegistry.
  [[maybe_unused]] const auto owners = owners_.fetch_sub(1, std::memory_order_release);
  assert(owners > 0);  // an owner ends once
}

}  // namespace weir
