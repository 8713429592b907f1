/// KeyedRegistry: lock().
#pragma once
#include <functional>

#include <weir/registry/keyed_registry.hpp>

namespace weir {

template <class Key, class Value, class Sync, class Hash>
template <class Function>
decltype(auto) KeyedRegistry<Key, Value, Sync, Hash>::lock(Sought key, Function&& function) {
  const std::uint64_t hash = Hash{}(key);
  const typename Locks::Lock lock(partition_of(hash).locks, hash, key, options_.name);
  return std::invoke(std::forward<Function>(function));
}

}  // namespace weir
