/// KeyedRegistry: metadata, an immutable map that is replaced whole.
#pragma once
#include <type_traits>

#include <weir/registry/keyed_registry.hpp>

namespace weir {

namespace keyed {

/// What metadata of that type is stored as.
template <class T>
using Kept = std::conditional_t<std::is_convertible_v<const T&, std::string_view>, std::string,
                                std::decay_t<T>>;

/// The name of a type in a message.
template <class T>
constexpr std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;  // "… [with T = int; …]" or "… [T = int]"
  text.remove_prefix(text.find("T = ") + 4);
  return text.substr(0, text.find_first_of(";]"));
}

}  // namespace keyed

template <class Key, class Value, class Sync, class Hash>
template <class T>
Result<T> KeyedRegistry<Key, Value, Sync, Hash>::meta(std::string_view name) const {
  static_assert(std::is_same_v<T, keyed::Kept<T>>, "it is stored as a value; text as std::string");
  std::shared_ptr<const Metadata> found;
  {
    const Section section(epochs_);
    const Meta* const all = meta_.load(std::memory_order_acquire);  // pairs with change_meta()
    if (all != nullptr)
      if (const auto at = all->find(name); at != all->end()) found = at->second;
  }
  if (found == nullptr) return std::unexpected(no_meta(name));
  if (const T* const value = std::any_cast<T>(&found->value)) return *value;
  return std::unexpected(other_type(name, found->type, keyed::type_name<T>()));
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
template <class T>
void KeyedRegistry<Key, Value, Sync, Hash>::put_meta(std::string name, T&& value) {
  using Kept = keyed::Kept<std::remove_cvref_t<T>>;
  const auto shared = std::make_shared<const Metadata>(
      std::any(std::in_place_type<Kept>, std::forward<T>(value)), keyed::type_name<Kept>());
  change_meta([&](Meta& meta) { meta.insert_or_assign(std::move(name), shared); });
}

template <class Key, class Value, class Sync, class Hash>
void KeyedRegistry<Key, Value, Sync, Hash>::delete_meta(std::string_view name) {
  change_meta([&](Meta& meta) {
    if (const auto found = meta.find(name); found != meta.end()) meta.erase(found);
  });
}

}  // namespace weir
