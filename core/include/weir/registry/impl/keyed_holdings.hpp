/// Which entries an owner of a KeyedRegistry has: for each key's node the serials of its slots.
///
/// Threads: guarded by the owner's mutex. Every node in it is linked, and so alive.
#pragma once
#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <weir/registry/impl/keyed_slot.hpp>

namespace weir::keyed {

/// Open addressing, linear probing; a removal closes the gap.
template <class Node>
class Holdings {
 public:
  /// The entries under one key. Most owners have one there, which needs no memory of its own.
  class Holding {
   public:
    /// Oldest first.
    std::span<const std::uint64_t> serials() const noexcept {
      return many_ ? std::span<const std::uint64_t>(*many_) : std::span(&one_, 1);
    }
    Node& node() const noexcept { return *node_; }

    /// Forgets some of them, but not all. `removed` is in their order.
    void erase(std::span<const std::uint64_t> removed) noexcept {
      assert(removed.size() < serials().size());
      if (many_)
        std::erase_if(*many_, [&](std::uint64_t serial) {
          return std::ranges::binary_search(removed, serial);
        });
    }

   private:
    friend Holdings;
    Node* node_ = nullptr;
    std::uint64_t one_ = 0;
    std::unique_ptr<std::vector<std::uint64_t>> many_{};
  };

  /// Null when the owner has no entry there.
  Holding* find(const Node& node) noexcept {
    if (places_.empty()) return nullptr;
    for (std::size_t i = node.hash & mask();; i = next(i)) {
      if (places_[i].node_ == &node) return &places_[i];
      if (places_[i].node_ == nullptr) return nullptr;
    }
  }

  /// Makes the next add() throw nothing. `node` is null for a new one.
  void make_room(const Node* node) {
    if (Holding* const holding = node == nullptr ? nullptr : find(*node)) {
      if (!holding->many_) {
        holding->many_ = std::make_unique<std::vector<std::uint64_t>>();
        holding->many_->reserve(4);
        holding->many_->push_back(holding->one_);
      }
      return keyed::make_room(*holding->many_);
    }
    const std::size_t wanted = count_ + 1;
    if (wanted * 4 > places_.size() * 3 ||
        (places_.size() > places_min && wanted * 16 < places_.size()))
      rebuild(std::max(places_min, std::bit_ceil(wanted * 2)));
  }

  /// After make_room(). The serial is greater than all there.
  void add(Node& node, std::uint64_t serial) noexcept {
    if (Holding* const holding = find(node)) return holding->many_->push_back(serial);
    Holding& free = free_place(node);
    free.node_ = &node;
    free.one_ = serial;
    ++count_;
  }

  void erase(Holding& gone) noexcept {
    std::size_t gap = static_cast<std::size_t>(&gone - places_.data());
    for (std::size_t i = next(gap); places_[i].node_ != nullptr; i = next(i)) {
      const std::size_t home = places_[i].node_->hash & mask();
      if (((i - home) & mask()) < ((i - gap) & mask()))
        continue;  // its search begins after the gap
      places_[gap] = std::move(places_[i]);
      gap = i;
    }
    places_[gap] = Holding();
    --count_;
  }

  void clear() noexcept {
    places_ = std::vector<Holding>();
    count_ = 0;
  }

  template <class Body>
  void each(Body&& body) const {
    for (const Holding& each : places_)
      if (each.node_ != nullptr) body(each);
  }

 private:
  static constexpr std::size_t places_min = 4;

  std::size_t mask() const noexcept { return places_.size() - 1; }
  std::size_t next(std::size_t i) const noexcept { return (i + 1) & mask(); }

  Holding& free_place(const Node& node) noexcept {
    std::size_t i = node.hash & mask();
    while (places_[i].node_ != nullptr) i = next(i);
    return places_[i];
  }

  void rebuild(std::size_t places) {
    std::vector<Holding> old(places);
    old.swap(places_);
    for (Holding& each : old)
      if (each.node_ != nullptr) free_place(*each.node_) = std::move(each);
  }

  std::vector<Holding> places_;  // at most three quarters are taken
  std::size_t count_ = 0;
};

}  // namespace weir::keyed
