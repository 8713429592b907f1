/// A key of a KeyedRegistry as the name of a child, as Elixir's {:via, Registry, …}.
///
///     using Rooms = KeyedRegistry<std::string, std::shared_ptr<Mailbox>>;
///     ChildSpec hall = thread_child("hall", …);
///     hall.via = via(rooms, "hall", mailbox);
///
/// Each life of the child is an owner of its own in the registry, named "supervisor/id". It is
/// registered before its start, and ends with the life, before a restart: whoever still holds the
/// object of an earlier life keeps no key from the next one. The same is true of each owner that its
/// start makes, such as one that becomes a member of the child.
///
/// Lifetime: the registry must outlive the supervisor, and what that left behind.
#pragma once
#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <weir/registry/keyed_registry.hpp>
#include <weir/supervisor/child_name.hpp>

namespace weir {

namespace supervisor {

template <class Key, class Value, class Sync, class Hash>
class RegisteredName final : public ChildName {
  using Registry = KeyedRegistry<Key, Value, Sync, Hash>;
  using Owner = typename Registry::Owner;

 public:
  /// `shows_child`: the child replaces the value once it runs.
  RegisteredName(Registry& registry, Key key, Value value, bool shows_child)
      : registry_(registry),
        key_(std::move(key)),
        value_(std::move(value)),
        shows_child_(shows_child) {}

  Result<std::unique_ptr<Claim>> claim(const std::string& holder) override {
    Owner owner = registry_.owner(holder);
    auto registered = registry_.register_(owner, key_, value_);
    if (!registered) return std::unexpected(std::move(registered.error()));
    return std::make_unique<Registration>(*this, std::move(owner));
  }

 private:
  class Registration final : public Claim {
   public:
    Registration(const RegisteredName& name, Owner owner) : name_(name), owner_(std::move(owner)) {}
    void show(const std::shared_ptr<Child>& child) override {
      if constexpr (std::convertible_to<const std::shared_ptr<Child>&, Value>)
        if (name_.shows_child_)
          static_cast<void>(name_.registry_.update_value(
              owner_, name_.key_, [&](const Value&) -> Value { return child; }));
    }

   private:
    const RegisteredName& name_;  // outlives it: the specification has both
    Owner owner_;
  };

  Registry& registry_;
  Key key_;
  Value value_;
  bool shows_child_;
};

}  // namespace supervisor

/// `key` of `registry`, with a copy of `value` for each life.
template <class Key, class Value, class Sync, class Hash>
std::shared_ptr<ChildName> via(KeyedRegistry<Key, Value, Sync, Hash>& registry,
                               std::type_identity_t<Key> key, std::type_identity_t<Value> value) {
  return std::make_shared<supervisor::RegisteredName<Key, Value, Sync, Hash>>(
      registry, std::move(key), std::move(value), false);
}

/// `key` of a registry of children, whose values are std::shared_ptr or std::weak_ptr<Child>: null
/// until the child runs, then the child.
template <class Key, class Value, class Sync, class Hash>
  requires std::convertible_to<const std::shared_ptr<Child>&, Value>
std::shared_ptr<ChildName> via(KeyedRegistry<Key, Value, Sync, Hash>& registry,
                               std::type_identity_t<Key> key) {
  return std::make_shared<supervisor::RegisteredName<Key, Value, Sync, Hash>>(
      registry, std::move(key), Value(), true);
}

}  // namespace weir
