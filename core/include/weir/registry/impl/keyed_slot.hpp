/// What a KeyedRegistry keeps of one entry.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir {

/// Identifies an owner by a number that no other owner of its registry ever has. 0 is no owner.
using OwnerId = std::uint64_t;

namespace keyed {

/// Small values are in the bucket itself, where reading them needs no further load; others are
/// behind a pointer, so that replacing a bucket never copies them.
template <class Value>
inline constexpr bool stored_inline =
    sizeof(Value) <= 32 && alignof(Value) <= alignof(std::max_align_t) &&
    std::is_nothrow_copy_constructible_v<Value>;

template <class Value>
using Stored = std::conditional_t<stored_inline<Value>, Value, std::shared_ptr<const Value>>;

template <class Value>
Stored<Value> make_stored(std::type_identity_t<Value>&& value) {
  if constexpr (stored_inline<Value>)
    return std::move(value);
  else
    return std::make_shared<const Value>(std::move(value));
}

template <class Value>
const Value& value_of(const Stored<Value>& stored) noexcept {
  if constexpr (stored_inline<Value>)
    return stored;  // NOLINT(bugprone-return-const-ref-from-parameter): the entry's, in its bucket
  else
    return *stored;
}

/// Makes the next push_back() throw nothing.
template <class T>
void make_room(std::vector<T>& all) {
  if (all.size() == all.capacity()) all.reserve(all.empty() ? 4 : 2 * all.size());
}

template <class Value>
struct Slot {
  OwnerId owner;
  std::uint64_t serial;   // of the entry: greater than those of the key's earlier entries
  std::uint64_t version;  // of its value: no other value of its partition ever has it
  Stored<Value> stored;

  const Value& value() const noexcept { return value_of<Value>(stored); }
};

/// What becomes of the entry with that serial: another value, or nothing.
template <class Value>
struct Edit {
  std::uint64_t serial;
  std::uint64_t version = 0;
  std::optional<Stored<Value>> stored = {};
};

/// How many entries a bucket keeps in one piece, and how many items a part of a larger one has.
/// Lockstep's scenarios have their own, so that few entries are many.
template <class Sync>
struct BucketSizes {
  static constexpr std::uint32_t flat_max = 128;
  static constexpr std::uint32_t part_max = 32;
};

}  // namespace keyed
}  // namespace weir
