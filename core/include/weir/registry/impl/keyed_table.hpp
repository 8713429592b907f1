/// The nodes of one partition by key: open addressing, linear probing, readers without a lock.
///
/// Threads: find() and each() from any thread inside a read section, or under the partition's
/// mutex; insert() and erase() under the mutex.
///
/// Invariants:
/// - A node never moves within its array, so a reader that continues its search cannot miss it. A
///   tombstone frees its place for others; the place becomes empty again only when the next one is
///   empty.
/// - At most half of the places are not empty, so every search ends.
/// - An array that was replaced is never changed again: a reader that still searches it sees the
///   moment of its replacement, and the nodes that were in it then.
#pragma once
#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace weir::keyed {

template <class Node, class Sync>
class Table {
  using Place = typename Sync::template Atomic<Node*>;

 public:
  static constexpr std::size_t places_min = 8;

  /// An array of places, in which readers may still search after it was replaced.
  struct Array {
    explicit Array(std::size_t places) : mask(places - 1), at(new Place[places]) {
      for (std::size_t i = 0; i < places; ++i) at[i].store(nullptr, std::memory_order_relaxed);
    }
    std::size_t mask;
    std::unique_ptr<Place[]> at;  // stored with release; pairs with the acquire loads of searches
  };

  Table() : array_(new Array(places_min)) {}
  ~Table() { delete array_.load(std::memory_order_relaxed); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  /// The node with that hash for whose key `same` is true; null when there is none.
  template <class Same>
  Node* find(std::uint64_t hash, Same&& same) const {
    const Array& array = *array_.load(std::memory_order_acquire);  // pairs with rebuild()
    for (std::size_t i = hash & array.mask;; i = (i + 1) & array.mask) {
      Node* const node = array.at[i].load(std::memory_order_acquire);
      if (node == nullptr) return nullptr;
      if (node != tombstone() && node->hash == hash && same(node->key)) return node;
    }
  }

  /// Calls `body` with every node that is in the table during the whole call, and perhaps with some
  /// that are added or removed meanwhile.
  template <class Body>
  void each(Body&& body) const {
    const Array& array = *array_.load(std::memory_order_acquire);  // pairs with rebuild()
    for (std::size_t i = 0; i <= array.mask; ++i)
      if (Node* const node = array.at[i].load(std::memory_order_acquire);
          node != nullptr && node != tombstone())
        body(*node);
  }

  /// Adds a node whose key is not in the table. If it replaces the array, it returns the old one:
  /// retire it.
  Array* insert(Node& node) {
    Array* const old = (used_ + 1) * 2 > places() ? rebuild(count_ + 1) : nullptr;
    const Array& array = *array_.load(std::memory_order_relaxed);
    std::size_t i = node.hash & array.mask;
    while (is_node(array.at[i].load(std::memory_order_relaxed))) i = (i + 1) & array.mask;
    if (array.at[i].load(std::memory_order_relaxed) == nullptr) ++used_;
    ++count_;
    assert(used_ * 2 <= array.mask + 1);
    array.at[i].store(&node, std::memory_order_release);
    return old;
  }

  /// Removes a node of the table. If it replaces the array, it returns the old one: retire it.
  Array* erase(const Node& node) {
    const Array& array = *array_.load(std::memory_order_relaxed);
    std::size_t i = node.hash & array.mask;
    for (;; i = (i + 1) & array.mask) {
      const Node* const at = array.at[i].load(std::memory_order_relaxed);
      assert(at != nullptr);  // a search for it ended: it is not in the table
      if (at == &node) break;
    }
    array.at[i].store(tombstone(), std::memory_order_release);
    --count_;
    if (array.at[(i + 1) & array.mask].load(std::memory_order_relaxed) == nullptr)
      for (; array.at[i].load(std::memory_order_relaxed) == tombstone(); i = (i - 1) & array.mask) {
        array.at[i].store(nullptr, std::memory_order_release);
        --used_;
      }
    assert(count_ <= used_);  // so neither went below zero
    return places() > 8 * places_min && count_ * 16 < places() ? rebuild(count_) : nullptr;
  }

 private:
  // Marks a place whose node was removed, and behind which others may be. Never dereferenced.
  static Node* tombstone() noexcept { return reinterpret_cast<Node*>(alignof(Node)); }
  static bool is_node(const Node* node) noexcept { return node != nullptr && node != tombstone(); }

  std::size_t places() const { return array_.load(std::memory_order_relaxed)->mask + 1; }

  Array* rebuild(std::size_t nodes) {
    auto next = std::make_unique<Array>(std::max(places_min, std::bit_ceil(4 * nodes)));
    Array* const old = array_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i <= old->mask; ++i) {
      Node* const node = old->at[i].load(std::memory_order_relaxed);
      if (!is_node(node)) continue;
      std::size_t to = node->hash & next->mask;
      while (next->at[to].load(std::memory_order_relaxed) != nullptr) to = (to + 1) & next->mask;
      next->at[to].store(node, std::memory_order_relaxed);
    }
    used_ = count_;
    array_.store(next.release(), std::memory_order_release);  // pairs with find() and each()
    return old;
  }

  typename Sync::template Atomic<Array*> array_;
  std::size_t count_ = 0;  // nodes
  std::size_t used_ = 0;   // places that are not empty: nodes and tombstones
};

}  // namespace weir::keyed
