/// What a KeyedRegistry is made with, and what it gives and tells.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <weir/registry/impl/keyed_listening.hpp>
#include <weir/registry/impl/keyed_slot.hpp>
#include <weir/result.hpp>

namespace weir {

/// How many entries may be under one key.
enum class Keys {
  unique,     ///< one; the error for a second one names its owner
  duplicate,  ///< any number, also several of one owner
};

struct KeyedOptions {
  Keys keys = Keys::unique;
  std::size_t partitions = 1;     ///< writers of different ones don't meet; made a power of two
  std::string name = "registry";  ///< used in messages
};

/// Why register_ refused. Of already_registered it says who has the key.
struct RegisterError : Error {
  OwnerId holder = 0;            ///< 0 of other refusals
  std::string holder_name = {};  ///< "" of other refusals
  friend bool operator==(const RegisterError&, const RegisterError&) = default;
};

namespace keyed {

/// An entry as callbacks see it, valid until the callback returns.
template <class Value>
struct View {
  OwnerId owner;
  const Value& value;
};

/// An entry as a copy.
template <class Value>
struct Entry {
  OwnerId owner = 0;
  Value value{};
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// An entry with its key, as a copy.
template <class Key, class Value>
struct Standing {
  Key key{};
  OwnerId owner = 0;
  Value value{};
  friend bool operator==(const Standing&, const Standing&) = default;
};

/// A change, as listeners see it; valid until they return.
template <class Key, class Value>
struct Change {
  enum class What { registered, unregistered } what;
  const Key& key;
  OwnerId owner;
  const Value& value;  ///< of an unregistered entry: its last one
};

/// What update_value() changed: the value of one entry.
template <class Value>
class Update {
 public:
  Update(Stored<Value> before, Stored<Value> after)
      : old_(std::move(before)), new_(std::move(after)) {}

  const Value& old_value() const noexcept { return value_of<Value>(old_); }
  const Value& new_value() const noexcept { return value_of<Value>(new_); }

 private:
  Stored<Value> old_, new_;
};

/// A listener that was added by listen() is notified until this ends. It may end after the
/// registry.  [any thread, except for moving and destroying it]
template <class Change, class Sync>
class Subscription {
 public:
  Subscription() = default;  ///< empty
  explicit Subscription(std::shared_ptr<Listening<Change, Sync>> listening)
      : listening_(std::move(listening)) {}
  Subscription(Subscription&& other) noexcept : listening_(std::move(other.listening_)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this == &other) return *this;
    end();
    listening_ = std::move(other.listening_);
    return *this;
  }
  ~Subscription() { end(); }

  /// Once it has returned the listener is not called any more, no call of it is in progress, and it
  /// is destroyed. From within the listener it does not wait: calls may be in progress then. Two
  /// listeners that end each other's subscriptions can wait for each other for ever.
  void end() noexcept {
    if (listening_) listening_->end();
  }

 private:
  std::shared_ptr<Listening<Change, Sync>> listening_;
};

}  // namespace keyed
}  // namespace weir
