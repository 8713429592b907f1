/// KeyedRegistry: its errors.
#pragma once
#include <concepts>
#include <string>
#include <tuple>
#include <type_traits>

#include <weir/registry/keyed_registry.hpp>

namespace weir {

namespace keyed {

/// A key in a message: text in quotes, numbers as they are, pairs and tuples of them in
/// parentheses; for anything else "…".
template <class Key>
std::string text_of(const Key& key) {
  if constexpr (std::convertible_to<const Key&, std::string_view>) {
    return "\"" + std::string(std::string_view(key)) + "\"";
  } else if constexpr (std::is_arithmetic_v<Key>) {
    return std::to_string(key);
  } else if constexpr (requires { std::tuple_size<Key>::value; }) {
    std::string all;
    std::apply(
        [&](const auto&... each) { ((all += (all.empty() ? "(" : ", ") + text_of(each)), ...); },
        key);
    return all + ")";
  } else {
    return "…";
  }
}

template <class Key>
std::string described(const Key& key) {
  const std::string text = text_of(key);
  return text == "…" ? "the key" : "key " + text;
}

}  // namespace keyed

// Call it under the mutex: the holder lives while its entry exists.
template <class Key, class Value, class Sync, class Hash>
RegisterError KeyedRegistry<Key, Value, Sync, Hash>::already_registered(const Bucket& taken) const {
  const std::shared_ptr<Record> holder = living(taken.from(0).front().owner);
  return {{.code = ErrorCode::conflict,
           .kind = "already_registered",
           .message = options_.name + ": key " + keyed::text_of(taken.node().key) + " is held by " +
                      described(*holder),
           .hint = "wait until that owner gives it up or ends, or register under another key"},
          holder->id,
          holder->name};
}

// An owner in a message.
template <class Key, class Value, class Sync, class Hash>
std::string KeyedRegistry<Key, Value, Sync, Hash>::described(const Record& record) {
  return "owner " + std::to_string(record.id) + " (\"" + record.name + "\")";
}

template <class Key, class Value, class Sync, class Hash>
Error KeyedRegistry<Key, Value, Sync, Hash>::owner_ended(const Record& record) const {
  return {
      .code = ErrorCode::conflict,
      .kind = "owner_ended",
      .message = options_.name + ": " + described(record) + " has ended and can hold nothing more",
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

template <class Key, class Value, class Sync, class Hash>
Error KeyedRegistry<Key, Value, Sync, Hash>::no_meta(std::string_view name) const {
  return {.code = ErrorCode::not_found,
          .kind = "no_meta",
          .message = options_.name + ": there is no metadata \"" + std::string(name) + "\"",
          .hint = "store it with put_meta() first"};
}

template <class Key, class Value, class Sync, class Hash>
Error KeyedRegistry<Key, Value, Sync, Hash>::other_type(std::string_view name,
                                                        std::string_view type,
                                                        std::string_view asked) const {
  return {.code = ErrorCode::invalid_input,
          .kind = "other_type",
          .message = options_.name + ": metadata \"" + std::string(name) + "\" is of type " +
                     std::string(type) + ", not " + std::string(asked),
          .hint = "ask for the type that was stored; text is stored as std::string"};
}

}  // namespace weir
