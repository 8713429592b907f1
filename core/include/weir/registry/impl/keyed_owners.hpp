/// KeyedRegistry: its own construction and destruction, and its owners'.
#pragma once
#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdio>
#include <cstdlib>

#include <weir/registry/keyed_registry.hpp>
#include <weir/registry/owner_scope.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
KeyedRegistry<Key, Value, Sync, Hash>::KeyedRegistry(Options options,
                                                     std::vector<Listener> listeners)
    : options_(std::move(options)),
      partition_mask_(std::bit_ceil(std::max<std::size_t>(options_.partitions, 1)) - 1),
      partitions_(new Partition[partition_mask_ + 1]) {
  if (listeners.empty()) return;
  auto all = std::make_shared<Listeners>();
  for (Listener& each : listeners)
    all->push_back(std::make_shared<Listening>(std::move(each), partitions()));
  for (std::size_t i = 0; i < partitions(); ++i) partitions_[i].listeners = all;
}

template <class Key, class Value, class Sync, class Hash>
KeyedRegistry<Key, Value, Sync, Hash>::~KeyedRegistry() {
  if (const std::string living = living_owners(); !living.empty()) {
    std::fprintf(stderr, "%s: the registry is destroyed while %s: every owner must end before it\n",
                 options_.name.c_str(), living.c_str());
    std::abort();
  }
  for (std::size_t i = 0; i < partitions(); ++i)
    partitions_[i].table.each(
        [](const Node& node) { Bucket::release(node.bucket.load(std::memory_order_relaxed)); });
  delete meta_.load(std::memory_order_relaxed);
}

// Those that have not ended, oldest first: "owner 2 ("b") and owner 7 ("g") live"; "" for none.
template <class Key, class Value, class Sync, class Hash>
std::string KeyedRegistry<Key, Value, Sync, Hash>::living_owners() const {
  constexpr std::size_t named_max = 8;
  std::map<OwnerId, std::string> all;
  for (std::size_t i = 0; i < partitions(); ++i) {
    const std::scoped_lock lock(partitions_[i].owners_mutex);
    for (const auto& [id, record] : partitions_[i].owners) all.emplace(id, described(*record));
  }
  if (all.empty()) return {};
  std::string text;
  std::size_t named = 0;
  for (const auto& [id, owner] : all) {
    if (named == named_max) break;
    text += (named == 0 ? "" : named + 1 == all.size() ? " and " : ", ") + owner;
    ++named;
  }
  if (named < all.size()) text += " and " + std::to_string(all.size() - named) + " more";
  return text + (all.size() == 1 ? " lives" : " live");
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::owner(std::string name, std::optional<Value> own)
    -> Owner {
  auto record = std::make_shared<Record>();
  record->registry = this;
  record->id = next_owner_.fetch_add(1, std::memory_order_relaxed);
  record->name = std::move(name);
  if (own) record->own.emplace(keyed::make_stored<Value>(*std::move(own)));
  if (OwnerGroup* const group = OwnerScope::group())
    group->add([made = std::weak_ptr(record)] {
      if (const std::shared_ptr<Record> living = made.lock()) end(*living);
    });
  Partition& partition = partitions_[record->id & partition_mask_];
  const std::scoped_lock lock(partition.owners_mutex);
  partition.owners.emplace(record->id, record);
  return Owner(std::move(record));
}

// Null when it has ended.
template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::living(OwnerId owner) const -> std::shared_ptr<Record> {
  const Partition& partition = partitions_[owner & partition_mask_];
  const std::scoped_lock lock(partition.owners_mutex);
  const auto found = partition.owners.find(owner);
  return found == partition.owners.end() ? nullptr : found->second;
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
  // A use of its own: the object may be destroyed as soon as another thread finds it ended.
  if (const std::shared_ptr<Record> record = record_) KeyedRegistry::end(*record);
}

// The first call touches the registry, which may be destroyed once any call has returned: so a
// second one waits for it to the end, and then touches the record alone.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::end(Record& record) noexcept {
  std::unique_lock lock(record.mutex);
  if (record.ended) {
    // While it is not gone the first call is in progress, and so the registry exists.
    if (record.gone || record.registry->is_ending()) return;
    record.gone_changed.wait(lock, [&] { return record.gone; });
    return;
  }
  record.registry->end_first(record, lock);
  lock.lock();
  record.gone = true;
  record.gone_changed.notify_all();
}

// Whether this thread is in a callback of some end(). Two that wait for each other's end would
// wait for ever.
template <class Key, class Value, class Sync, class Hash>
bool KeyedRegistry<Key, Value, Sync, Hash>::is_ending() const {
  const std::scoped_lock lock(ending_mutex_);
  return std::ranges::find(ending_, Sync::thread_index()) != ending_.end();
}

// The first end() of an owner; frees its lock. It has ended, for those who register, at the moment
// at which the last of its entries is gone: no other change of the owner comes between.
template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::end_first(
    Record& record, std::unique_lock<typename Sync::Mutex>& record_lock) noexcept {
  record.ended = true;
  {
    const std::scoped_lock lock(ending_mutex_);
    ending_.push_back(Sync::thread_index());
  }
  std::vector<std::pair<Partition*, Afterwards>> all;
  record.holdings.each([&](const auto& holding) {
    Partition& partition = partition_of(holding.node().hash);
    const std::scoped_lock lock(partition.mutex);
    remove(partition, holding.node(), holding.serials(),
           all.emplace_back(&partition, Afterwards()).second);
  });
  record.holdings.clear();
  record_lock.unlock();

  {
    Partition& partition = partitions_[record.id & partition_mask_];
    const std::scoped_lock lock(partition.owners_mutex);
    partition.owners.erase(record.id);  // the caller has it too
  }
  for (const auto& [of, afterwards] : all) retire(afterwards);
  for (const auto& [of, afterwards] : all)
    if (afterwards.notify) notify(*of);
  if (!all.empty()) epochs_.sweep();
  const std::scoped_lock lock(ending_mutex_);
  ending_.erase(std::ranges::find(ending_, Sync::thread_index()));
}

}  // namespace weir
