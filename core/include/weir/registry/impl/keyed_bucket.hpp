/// The entries under one key of a KeyedRegistry: an immutable bucket, which is replaced whole.
///
/// Threads: of a published bucket only its pins change; of a node only its bucket, which writers
/// replace under their partition's mutex, and the two members after it.
///
/// Invariants:
/// - A node is in its table exactly while its current bucket has entries; empty buckets do not
///   exist.
/// - `pins` counts the link that leads to the bucket, and its users outside read sections. The
///   link's own pin is dropped only after a grace period, so a reader that finds the bucket inside
///   a section finds a count that is not 0, and may raise it.
/// - A node lives as long as any bucket of it, so the holder of a bucket may read its key. The
///   memory of a key's first bucket is part of the node's.
#pragma once
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
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

/// `Record` is the registry's data about an owner; follow the pointer only under the partition's
/// mutex, and from a current bucket: the record of an older one may have been destroyed.
template <class Value, class Record>
struct Slot {
  OwnerId owner;
  std::uint64_t serial;  // of this value: no other entry or value of its partition ever has it
  Record* record;
  Stored<Value> stored;

  const Value& value() const noexcept { return value_of<Value>(stored); }
};

template <class Key, class Value, class Record, class Sync>
class Bucket;

template <class Key, class Value, class Record, class Sync>
struct alignas(std::max_align_t) Node {
  using Bucket = keyed::Bucket<Key, Value, Record, Sync>;

  Node(std::uint64_t its_hash, Key&& its_key) : hash(its_hash), key(std::move(its_key)) {}

  const std::uint64_t hash;
  const Key key;
  // Store (release): a bucket is complete before it can be found. Pairs with the load (acquire) of
  // a thread that found the node.
  typename Sync::template Atomic<Bucket*> bucket{nullptr};
  // How many of its buckets are in memory. Raised under the partition's mutex; lowered by the
  // thread that destroys a bucket (acq_rel, so that the last sees what all others did).
  typename Sync::template Atomic<std::uint32_t> buckets{1};  // the first, made with it
  bool unlinked = false;  // no table leads here any more; guarded by the partition's mutex
};

template <class Key, class Value, class Record, class Sync>
class alignas(std::max_align_t) Bucket {
 public:
  using Node = keyed::Node<Key, Value, Record, Sync>;
  using Slot = keyed::Slot<Value, Record>;
  static_assert(alignof(Slot) <= alignof(std::max_align_t));

  /// Destroys a bucket that was never published.
  struct Discard {
    void operator()(Bucket* bucket) const noexcept { destroy(bucket); }
  };
  using Made = std::unique_ptr<Bucket, Discard>;

  /// A new node's first bucket, with one slot. The node is destroyed with the last of its buckets.
  static Made first(std::uint64_t hash, Key&& key, Slot only) {
    void* const memory = ::operator new(sizeof(Node) + sizeof(Bucket) + sizeof(Slot));
    Node* const node = new (memory) Node(hash, std::move(key));
    node->bucket.store(new (node + 1) Bucket(*node), std::memory_order_relaxed);
    Made made(node->bucket.load(std::memory_order_relaxed));
    made->add(std::move(only));
    return made;
  }

  /// The slots of `old`, and one more.
  static Made with(const Bucket& old, Slot added) {
    Made made = next(old, old.count_ + 1);
    for (const Slot& each : old.slots()) made->add(each);
    made->add(std::move(added));
    return made;
  }

  /// The slots of `old` without the `removed` ones for which `is_removed` is true: not all.
  template <class Predicate>
  static Made without(const Bucket& old, std::size_t removed, Predicate&& is_removed) {
    assert(removed < old.count_);
    Made made = next(old, old.count_ - removed);
    for (const Slot& each : old.slots())
      if (!is_removed(each)) made->add(each);
    assert(made->count_ == old.count_ - removed);  // there is room for no more
    return made;
  }

  /// As many slots as `old` has, each as `changed` returns it.
  template <class Changed>
  static Made replaced(const Bucket& old, Changed&& changed) {
    Made made = next(old, old.count_);
    for (const Slot& each : old.slots()) made->add(changed(each));
    return made;
  }

  std::span<const Slot> slots() const noexcept {
    return {reinterpret_cast<const Slot*>(this + 1), count_};
  }
  Node& node() const noexcept { return node_; }

  /// Keeps it in memory until release(). Relaxed: the caller is inside a section, or holds the
  /// mutex.
  void pin() noexcept {
    [[maybe_unused]] const auto before = pins_.fetch_add(1, std::memory_order_relaxed);
    assert(before != 0);  // at least the link's
  }

  /// acq_rel: the last release sees all others. A thread that finds the count at 1 is the last: the
  /// link's pin is gone, so no thread can raise it.
  static void release(Bucket* bucket) noexcept {
    if (bucket->pins_.load(std::memory_order_acquire) == 1 ||
        bucket->pins_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      destroy(bucket);
  }

 private:
  explicit Bucket(Node& node) : node_(node) {}
  ~Bucket() = default;

  // Call it under the mutex. Pairs with destroy().
  static Made next(const Bucket& old, std::size_t count) {
    void* const memory = ::operator new(sizeof(Bucket) + count * sizeof(Slot));
    old.node_.buckets.fetch_add(1, std::memory_order_relaxed);
    return Made(new (memory) Bucket(old.node_));
  }

  void add(Slot slot) noexcept {
    new (reinterpret_cast<Slot*>(this + 1) + count_++) Slot(std::move(slot));
  }

  static void destroy(Bucket* bucket) noexcept {
    Node& node = bucket->node_;
    for (const Slot& each : bucket->slots()) each.~Slot();
    bucket->~Bucket();
    if (static_cast<void*>(bucket) != static_cast<void*>(&node + 1)) ::operator delete(bucket);
    // One left: it is this one, so the node is in no table, and no other bucket can be made.
    if (node.buckets.load(std::memory_order_acquire) != 1 &&
        node.buckets.fetch_sub(1, std::memory_order_acq_rel) != 1)
      return;
    node.~Node();
    ::operator delete(&node);
  }

  Node& node_;
  typename Sync::template Atomic<std::uint32_t> pins_{1};  // the link's
  std::uint32_t count_ = 0;
};

/// Keeps a bucket in memory outside read sections, for as long as a callback takes.
template <class Bucket>
class Pin {
 public:
  Pin() = default;
  /// The caller must be inside a section, or hold the mutex.
  explicit Pin(Bucket* bucket) noexcept : bucket_(bucket) {
    if (bucket != nullptr) bucket->pin();
  }
  Pin(Pin&& other) noexcept : bucket_(std::exchange(other.bucket_, nullptr)) {}
  Pin& operator=(Pin&& other) noexcept {
    std::swap(bucket_, other.bucket_);
    return *this;
  }
  ~Pin() {
    if (bucket_ != nullptr) Bucket::release(bucket_);
  }

  explicit operator bool() const noexcept { return bucket_ != nullptr; }
  const Bucket* operator->() const noexcept { return bucket_; }
  std::span<const typename Bucket::Slot> slots() const noexcept {
    if (bucket_ == nullptr) return {};
    return bucket_->slots();
  }

 private:
  Bucket* bucket_ = nullptr;
};

}  // namespace keyed
}  // namespace weir
