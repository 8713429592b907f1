/// KeyedRegistry: metadata, an immutable map that is replaced whole.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
template <class T>
std::optional<T> KeyedRegistry<Key, Value, Sync, Hash>::meta(std::string_view name) const {
  std::shared_ptr<const std::any> found;
  {
    const Section section(epochs_);
    const Meta* const all = meta_.load(std::memory_order_acquire);  // pairs with change_meta()
    if (all == nullptr) return std::nullopt;
    if (const auto at = all->find(name); at != all->end()) found = at->second;
  }
  const T* const value = std::any_cast<T>(found.get());
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
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
