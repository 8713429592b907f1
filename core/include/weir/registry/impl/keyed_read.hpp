/// KeyedRegistry: the members that read. They find a node and its bucket inside a read section, and
/// leave it before they call anything that may take long, except for look().
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::pin(Sought key) const -> Pin {
  const std::uint64_t hash = Hash{}(key);
  const Partition& partition = partition_of(hash);
  const Section section(epochs_);
  const Node* const node = find(partition, hash, key);
  if (node == nullptr) return {};
  return Pin(node->bucket.load(std::memory_order_acquire));
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::pins(const Partition& partition) const
    -> std::vector<Pin> {
  std::vector<Pin> found;
  const Section section(epochs_);
  partition.table.each(
      [&](const Node& node) { found.emplace_back(node.bucket.load(std::memory_order_acquire)); });
  return found;
}

template <class Key, class Value, class Sync, class Hash>
template <class Callback>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::look(Sought key, Callback&& callback) const {
  const std::uint64_t hash = Hash{}(key);
  const Partition& partition = partition_of(hash);
  const Section section(epochs_);
  const Node* const node = find(partition, hash, key);
  if (node == nullptr) return 0;
  const Bucket& bucket = *node->bucket.load(std::memory_order_acquire);
  bucket.each([&](const Slot& slot) { callback(View{slot.owner, slot.value()}); });
  return bucket.size();
}

template <class Key, class Value, class Sync, class Hash>
template <class Callback>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::dispatch(Sought key, Callback&& callback) const {
  const Pin pinned = pin(key);
  if (!pinned) return 0;
  pinned->each([&](const Slot& slot) { callback(View{slot.owner, slot.value()}); });
  return pinned->size();
}

template <class Key, class Value, class Sync, class Hash>
template <class Callback>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::dispatch_entries(Sought key,
                                                                    Callback&& callback) const {
  const Pin pinned = pin(key);
  if (!pinned) return 0;
  callback(Entries(*pinned));
  return pinned->size();
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::lookup(Sought key) const -> std::vector<Entry> {
  const std::uint64_t hash = Hash{}(key);
  const Partition& partition = partition_of(hash);
  std::vector<Entry> found;
  const Section section(epochs_);
  const Node* const node = find(partition, hash, key);
  if (node == nullptr) return found;
  const Bucket& bucket = *node->bucket.load(std::memory_order_acquire);
  found.reserve(bucket.size());
  bucket.each([&](const Slot& slot) { found.push_back({slot.owner, slot.value()}); });
  return found;
}

template <class Key, class Value, class Sync, class Hash>
template <class Predicate>
auto KeyedRegistry<Key, Value, Sync, Hash>::match(Sought key, Predicate&& predicate) const
    -> std::vector<Entry> {
  std::vector<Entry> found;
  dispatch(key, [&](const View& view) {
    if (predicate(view)) found.push_back({view.owner, view.value});
  });
  return found;
}

template <class Key, class Value, class Sync, class Hash>
template <class Callback>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::each(Callback&& callback,
                                                        bool in_parallel) const {
  const auto of = [&](const Partition& partition) {
    std::size_t called = 0;
    for (const Pin& pinned : pins(partition)) {
      pinned->each(
          [&](const Slot& slot) { callback(pinned->node().key, View{slot.owner, slot.value()}); });
      called += pinned->size();
    }
    return called;
  };
  std::vector<std::size_t> called(partitions());
  std::vector<typename Sync::Thread> threads;
  if (in_parallel) threads.reserve(partition_mask_);
  for (std::size_t i = 1; i < partitions(); ++i) {
    if (in_parallel)
      threads.emplace_back([&, i]() noexcept { called[i] = of(partitions_[i]); });
    else
      called[i] = of(partitions_[i]);
  }
  if (in_parallel)
    [&]() noexcept { called[0] = of(partitions_[0]); }();
  else
    called[0] = of(partitions_[0]);
  for (auto& thread : threads) thread.join();
  std::size_t sum = 0;
  for (const std::size_t some : called) sum += some;
  return sum;
}

template <class Key, class Value, class Sync, class Hash>
template <class Predicate>
auto KeyedRegistry<Key, Value, Sync, Hash>::select(Predicate&& predicate) const
    -> std::vector<Standing> {
  std::vector<Standing> found;
  each([&](const Key& key, const View& view) {
    if (predicate(key, view)) found.push_back({key, view.owner, view.value});
  });
  return found;
}

template <class Key, class Value, class Sync, class Hash>
template <class Predicate, class Projection>
auto KeyedRegistry<Key, Value, Sync, Hash>::select(Predicate&& predicate,
                                                   Projection&& projection) const {
  std::vector<std::decay_t<std::invoke_result_t<Projection&, const Key&, const View&>>> found;
  each([&](const Key& key, const View& view) {
    if (predicate(key, view)) found.push_back(projection(key, view));
  });
  return found;
}

template <class Key, class Value, class Sync, class Hash>
std::vector<Key> KeyedRegistry<Key, Value, Sync, Hash>::keys(const Record& record) {
  const std::scoped_lock lock(record.mutex);
  std::vector<Key> found;
  record.holdings.each([&](const auto& holding) {
    found.insert(found.end(), holding.serials().size(), holding.node().key);
  });
  return found;
}

template <class Key, class Value, class Sync, class Hash>
std::vector<Key> KeyedRegistry<Key, Value, Sync, Hash>::keys(const Owner& owner) const {
  if (!owner.record_ || owner.record_->registry != this) return {};
  return keys(*owner.record_);
}

template <class Key, class Value, class Sync, class Hash>
std::vector<Key> KeyedRegistry<Key, Value, Sync, Hash>::keys(OwnerId owner) const {
  const std::shared_ptr<Record> record = living(owner);
  if (record == nullptr) return {};
  return keys(*record);
}

template <class Key, class Value, class Sync, class Hash>
std::vector<Value> KeyedRegistry<Key, Value, Sync, Hash>::values(OwnerId owner, Sought key) const {
  std::vector<Value> found;
  look(key, [&](const View& view) {
    if (view.owner == owner) found.push_back(view.value);
  });
  return found;
}

template <class Key, class Value, class Sync, class Hash>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::count() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < partitions(); ++i)
    sum += partitions_[i].entries.load(std::memory_order_relaxed);
  return sum;
}

template <class Key, class Value, class Sync, class Hash>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::count(Sought key) const {
  const std::uint64_t hash = Hash{}(key);
  const Partition& partition = partition_of(hash);
  const Section section(epochs_);
  const Node* const node = find(partition, hash, key);
  return node == nullptr ? 0 : node->bucket.load(std::memory_order_acquire)->size();
}

template <class Key, class Value, class Sync, class Hash>
template <class Predicate>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::count_match(Sought key,
                                                               Predicate&& predicate) const {
  std::size_t found = 0;
  dispatch(key, [&](const View& view) { found += predicate(view) ? 1 : 0; });
  return found;
}

template <class Key, class Value, class Sync, class Hash>
template <class Predicate>
std::size_t KeyedRegistry<Key, Value, Sync, Hash>::count_select(Predicate&& predicate) const {
  std::size_t found = 0;
  each([&](const Key& key, const View& view) { found += predicate(key, view) ? 1 : 0; });
  return found;
}

template <class Key, class Value, class Sync, class Hash>
auto KeyedRegistry<Key, Value, Sync, Hash>::Via::resolve() const -> Result<Entry> {
  std::optional<Entry> found;
  const auto resolved = tell([&](const View& view) { found = Entry{view.owner, view.value}; });
  if (!resolved) return std::unexpected(resolved.error());
  return *std::move(found);
}

template <class Key, class Value, class Sync, class Hash>
template <class Callback>
Result<void> KeyedRegistry<Key, Value, Sync, Hash>::Via::tell(Callback&& callback) const {
  if (registry_->options_.keys != Keys::unique)
    return std::unexpected(
        Error{.code = ErrorCode::invalid_input,
              .kind = "duplicate_keys",
              .message = registry_->options_.name +
                         ": its keys are not unique: several entries may be under one",
              .hint = "dispatch to all of them, or make the registry with unique keys"});
  if (registry_->dispatch(key_, std::forward<Callback>(callback)) == 0)
    return std::unexpected(registry_->no_owner(key_));
  return {};
}

}  // namespace weir
