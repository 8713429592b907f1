/// KeyedRegistry: its errors.
#pragma once
#include <concepts>
#include <string>
#include <type_traits>

#include <weir/registry/keyed_registry.hpp>

namespace weir {

namespace keyed {

/// A key in a message: texts in quotes, numbers as they are; anything else as "the key".
template <class Key>
std::string described(const Key& key) {
  if constexpr (std::convertible_to<const Key&, std::string_view>)
    return "key \"" + std::string(std::string_view(key)) + "\"";
  else if constexpr (std::is_arithmetic_v<Key>)
    return "key " + std::to_string(key);
  else
    return "the key";
}

}  // namespace keyed

// Call it under the mutex: the holder's record exists while its entry does.
template <class Key, class Value, class Sync, class Hash>
Error KeyedRegistry<Key, Value, Sync, Hash>::already_registered(const Bucket& holder) const {
  const Record& record = *holder.slots().front().record;
  return {.code = ErrorCode::conflict,
          .kind = "already_registered",
          .message = options_.name + ": " + keyed::described(holder.node().key) +
                     " is held by owner " + std::to_string(record.id) + " (\"" + record.name +
                     "\")",
          .hint = "wait until that owner gives it up or ends, or register under another key"};
}

template <class Key, class Value, class Sync, class Hash>
Error KeyedRegistry<Key, Value, Sync, Hash>::owner_ended(const Record& record) const {
  return {.code = ErrorCode::conflict,
          .kind = "owner_ended",
          .message = options_.name + ": owner " + std::to_string(record.id) + " (\"" + record.name +
                     "\") has ended and can hold nothing more",
          .hint = "make a new owner"};
}

template <class Key, class Value, class Sync, class Hash>
Error KeyedRegistry<Key, Value, Sync, Hash>::no_value(const Record& record) const {
  return {.code = ErrorCode::invalid_input,
          .kind = "no_value",
          .message = options_.name + ": owner \"" + record.name + "\" has no value of its own",
          .hint = "register with a value, or make the owner with one"};
}

template <class Key, class Value, class Sync, class Hash>
Error KeyedRegistry<Key, Value, Sync, Hash>::foreign_owner(std::string_view owner) const {
  return {.code = ErrorCode::invalid_input,
          .kind = "foreign_owner",
          .message = owner.empty() ? options_.name + ": the given owner is empty"
                                   : options_.name + ": owner \"" + std::string(owner) +
                                         "\" was made by another registry",
          .hint = "use an owner that this registry's owner() made"};
}

template <class Key, class Value, class Sync, class Hash>
Error KeyedRegistry<Key, Value, Sync, Hash>::not_registered(std::string_view owner,
                                                            Sought key) const {
  return {.code = ErrorCode::not_found,
          .kind = "not_registered",
          .message = options_.name + ": owner \"" + std::string(owner) + "\" has no entry under " +
                     keyed::described(key),
          .hint = "register it first: only an owner with an entry there can change its value"};
}

template <class Key, class Value, class Sync, class Hash>
Error KeyedRegistry<Key, Value, Sync, Hash>::no_owner(Sought key) const {
  return {.code = ErrorCode::not_found,
          .kind = "no_owner",
          .message = options_.name + ": no owner is registered under " + keyed::described(key),
          .hint = "its owner has ended, or was not started yet"};
}

}  // namespace weir
