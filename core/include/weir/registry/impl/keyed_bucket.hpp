/// The entries under one key of a KeyedRegistry: an immutable bucket, which is replaced whole. Up to
/// flat_max entries are slots in one piece, which a change copies; more are a tree (keyed_parts.hpp),
/// of which a change copies a path.
///
/// Threads: of a published bucket only its pins change; of a node only its bucket, which writers
/// replace under their partition's mutex, and its count of buckets.
///
/// Invariants:
/// - The slots of a key are in the order of their serials: that of registration.
/// - A node is in its table exactly while its current bucket has entries; empty buckets do not
///   exist.
/// - `pins` counts the link that leads to the bucket, and its users outside read sections. The
///   link's own pin is dropped only after a grace period, so a reader that finds the bucket inside
///   a section finds a count that is not 0, and may raise it.
/// - A node lives as long as any bucket of it, so the holder of a bucket may read its key. The
///   memory of a key's first bucket is part of the node's.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include <weir/registry/impl/keyed_parts.hpp>
#include <weir/registry/impl/keyed_slot.hpp>

namespace weir::keyed {

template <class Key, class Value, class Sync>
class Bucket;

template <class Key, class Value, class Sync>
struct alignas(std::max_align_t) Node {
  using Bucket = keyed::Bucket<Key, Value, Sync>;

  Node(std::uint64_t its_hash, Key&& its_key) : hash(its_hash), key(std::move(its_key)) {}

  const std::uint64_t hash;
  const Key key;
  // Store (release): a bucket is complete before it can be found. Pairs with the load (acquire) of
  // a thread that found the node.
  typename Sync::template Atomic<Bucket*> bucket{nullptr};
  // How many of its buckets are in memory. Raised under the partition's mutex; lowered by the
  // thread that destroys a bucket (acq_rel, so that the last sees what all others did).
  typename Sync::template Atomic<std::uint32_t> buckets{1};  // the first, made with it
};

template <class Key, class Value, class Sync>
class alignas(std::max_align_t) Bucket {
 public:
  using Node = keyed::Node<Key, Value, Sync>;
  using Slot = keyed::Slot<Value>;
  using Edit = keyed::Edit<Value>;
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
    if (old.count_ >= flat_max) {
      Use root = Part::with(old.is_large() ? old.root() : Part::of(old.slots()), std::move(added));
      return large(old, std::move(root));
    }
    Made made = flat(old, old.count_ + 1);
    for (const Slot& each : old.slots()) made->add(each);
    made->add(std::move(added));
    return made;
  }

  /// The slots of `old` after the edits, which are in the order of their serials and each of one of
  /// its slots. They must leave some.
  static Made edited(const Bucket& old, std::span<const Edit> edits) {
    const auto removed = static_cast<std::uint32_t>(
        std::ranges::count_if(edits, [](const Edit& edit) { return !edit.stored; }));
    assert(removed < old.count_);
    if (!old.is_large()) {
      Made made = flat(old, old.count_ - removed);
      Part::apply(old.slots(), edits, [&](Slot&& slot) { made->add(std::move(slot)); });
      assert(edits.empty());
      return made;
    }
    Use root = Part::edited(old.root(), edits);
    assert(root->slots_in_all() == old.count_ - removed);
    if (root->slots_in_all() > flat_max) return large(old, std::move(root));
    Made made = flat(old, root->slots_in_all());
    root->each([&](const Slot& slot) { made->add(slot); });
    return made;
  }

  /// Never 0.
  std::size_t size() const noexcept { return count_; }

  /// Calls `body(const Slot&)` with every slot, oldest first.
  template <class Body>
  void each(Body&& body) const {
    if (is_large()) [[unlikely]]
      root()->each(body);
    else
      for (const Slot& slot : slots()) body(slot);
  }

  /// Null when there is none with that serial.
  const Slot* find(std::uint64_t serial) const noexcept {
    return is_large() ? root()->find(serial) : Part::find_in(slots(), serial);
  }

  /// Slots from the one at `index` on that lie together: at least that one.
  std::span<const Slot> from(std::size_t index) const noexcept {
    return is_large() ? root()->from(index) : slots().subspan(index);
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
  using Part = keyed::Part<Value, Sync>;
  using Use = typename Part::Use;
  static constexpr std::uint32_t flat_max = BucketSizes<Sync>::flat_max;
  static_assert(flat_max <= Part::items_max * Part::items_max);

  explicit Bucket(Node& node) : node_(node) {}
  ~Bucket() = default;

  bool is_large() const noexcept { return count_ > flat_max; }
  std::span<const Slot> slots() const noexcept {  // of a bucket that is not large
    return {reinterpret_cast<const Slot*>(this + 1), count_};
  }
  const Use& root() const noexcept {  // of a large one
    return *reinterpret_cast<const Use*>(this + 1);
  }

  // Call these two under the mutex. They pair with destroy().
  static Made flat(const Bucket& old, std::size_t count) { return next(old, count * sizeof(Slot)); }
  static Made large(const Bucket& old, Use root) {
    Made made = next(old, sizeof(Use));
    made->count_ = root->slots_in_all();
    new (made.get() + 1) Use(std::move(root));
    return made;
  }
  static Made next(const Bucket& old, std::size_t bytes) {
    void* const memory = ::operator new(sizeof(Bucket) + bytes);
    old.node_.buckets.fetch_add(1, std::memory_order_relaxed);
    return Made(new (memory) Bucket(old.node_));
  }

  void add(Slot slot) noexcept {
    new (reinterpret_cast<Slot*>(this + 1) + count_++) Slot(std::move(slot));
  }

  static void destroy(Bucket* bucket) noexcept {
    Node& node = bucket->node_;
    if (bucket->is_large())
      bucket->root().~Use();
    else
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
  std::uint32_t count_ = 0;                                // slots
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
  const Bucket& operator*() const noexcept { return *bucket_; }
  /// 0 when it pins nothing.
  std::size_t size() const noexcept { return bucket_ == nullptr ? 0 : bucket_->size(); }

 private:
  Bucket* bucket_ = nullptr;
};

}  // namespace weir::keyed
