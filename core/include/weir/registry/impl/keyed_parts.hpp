/// The entries of a large bucket: a tree of immutable parts in the order of registration. A change
/// copies the parts on the path to what it changes, and shares all others with the tree before, so
/// its cost grows with the logarithm of the entries.
///
/// Threads: of a published part only its uses change.
///
/// Invariants:
/// - A part is a leaf of slots, or a branch of parts that are all of the next lower height. None is
///   empty, and none has more than part_max items.
/// - Of two neighbours in a branch, one alone or both together have more than half of part_max
///   items: so the height stays logarithmic whatever is removed.
/// - `uses` counts the branches and buckets that lead to the part, and its makers. Whoever shares it
///   has a use of it, so the count is not 0 then.
#pragma once
#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include <weir/registry/impl/keyed_slot.hpp>

namespace weir::keyed {

template <class Value, class Sync>
class alignas(std::max_align_t) Part {
 public:
  using Slot = keyed::Slot<Value>;
  using Edit = keyed::Edit<Value>;
  static constexpr std::uint32_t items_max = BucketSizes<Sync>::part_max;
  static_assert(items_max >= 2 && alignof(Slot) <= alignof(std::max_align_t));

  /// Keeps a part in memory.
  class Use {
   public:
    Use() = default;
    Use(const Use& other) noexcept : part_(other.part_) {
      if (part_ != nullptr) part_->uses_.fetch_add(1, std::memory_order_relaxed);
    }
    Use(Use&& other) noexcept : part_(std::exchange(other.part_, nullptr)) {}
    Use& operator=(Use other) noexcept {
      std::swap(part_, other.part_);
      return *this;
    }
    ~Use() {
      if (part_ != nullptr) Part::release(part_);
    }
    explicit operator bool() const noexcept { return part_ != nullptr; }
    Part* operator->() const noexcept { return part_; }
    Part& operator*() const noexcept { return *part_; }

   private:
    friend Part;
    explicit Use(Part* made) noexcept : part_(made) {}  // takes over its first use
    Part* part_ = nullptr;
  };

  /// A tree of these slots, of which there are one to items_max * items_max.
  static Use of(std::span<const Slot> slots) {
    assert(!slots.empty() && slots.size() <= items_max * items_max);
    const auto leaves = static_cast<std::uint32_t>((slots.size() + items_max - 1) / items_max);
    Use root = leaves == 1 ? Use() : make(1, leaves);
    for (;; slots = slots.subspan(items_max)) {
      const auto count = std::min<std::size_t>(slots.size(), items_max);
      Use leaf = make(0, static_cast<std::uint32_t>(count));
      for (const Slot& each : slots.first(count)) leaf->add(each);
      if (leaves == 1) return leaf;
      root->add(std::move(leaf));
      if (count == slots.size()) return root;
    }
  }

  /// The tree with one more slot at its end.
  static Use with(const Use& root, Slot&& added) {
    Grown grown = appended(root, std::move(added));
    if (!grown.beside) return std::move(grown.part);
    Use higher = make(root->height_ + 1, 2);
    higher->add(std::move(grown.part));
    higher->add(std::move(grown.beside));
    return higher;
  }

  /// The tree after the edits, which are in the order of their serials; of nothing when none is
  /// left. Each must be of a slot of the tree.
  static Use edited(const Use& root, std::span<const Edit> edits) {
    Use next = edited_part(*root, edits);
    while (next && next->height_ > 0 && next->count_ == 1) next = Use(next->parts().front());
    return next;
  }

  std::uint32_t slots_in_all() const noexcept { return slots_in_all_; }

  /// Calls `body` with every slot, in their order.
  template <class Body>
  void each(Body&& body) const {
    if (height_ == 0)
      for (const Slot& slot : slots()) body(slot);
    else
      for (const Use& part : parts()) part->each(body);
  }

  /// Null when there is none with that serial.
  const Slot* find(std::uint64_t serial) const noexcept {
    const Part* part = this;
    while (part->height_ > 0) {
      const auto after = std::ranges::upper_bound(part->parts(), serial, {},
                                                  [](const Use& each) { return each->first_; });
      if (after == part->parts().begin()) return nullptr;
      part = &**std::prev(after);
    }
    return find_in(part->slots(), serial);
  }

  /// The slots of the leaf that has the one at `index`, from that one on.
  std::span<const Slot> from(std::size_t index) const noexcept {
    assert(index < slots_in_all_);
    const Part* part = this;
    while (part->height_ > 0) {
      auto next = part->parts().begin();
      for (; index >= (*next)->slots_in_all_; ++next) index -= (*next)->slots_in_all_;
      part = &**next;
    }
    return part->slots().subspan(index);
  }

  static const Slot* find_in(std::span<const Slot> slots, std::uint64_t serial) noexcept {
    const auto found = std::ranges::lower_bound(slots, serial, {}, &Slot::serial);
    return found != slots.end() && found->serial == serial ? &*found : nullptr;
  }

  /// Calls `keep(Slot)` with what the edits leave of `slots`. Drops from `edits` those it applied.
  template <class Keep>
  static void apply(std::span<const Slot> slots, std::span<const Edit>& edits, Keep&& keep) {
    for (const Slot& each : slots) {
      if (edits.empty() || edits.front().serial != each.serial) {
        keep(Slot(each));
        continue;
      }
      const Edit& edit = edits.front();
      if (edit.stored) keep(Slot{each.owner, each.serial, edit.version, *edit.stored});
      edits = edits.subspan(1);
    }
  }

 private:
  struct Grown {  // a part with one more slot, or it and what did not fit
    Use part;
    Use beside;
  };

  explicit Part(std::uint32_t height) : height_(height) {}
  ~Part() = default;

  static Use make(std::uint32_t height, std::uint32_t count) {
    const std::size_t item = height == 0 ? sizeof(Slot) : sizeof(Use);
    return Use(new (::operator new(sizeof(Part) + count * item)) Part(height));
  }

  std::span<const Slot> slots() const noexcept {
    return {reinterpret_cast<const Slot*>(this + 1), count_};
  }
  std::span<const Use> parts() const noexcept {
    return {reinterpret_cast<const Use*>(this + 1), count_};
  }

  // There must be memory for it.
  void add(Slot slot) noexcept {
    if (count_ == 0) first_ = slot.serial;
    new (reinterpret_cast<Slot*>(this + 1) + count_++) Slot(std::move(slot));
    ++slots_in_all_;
  }
  void add(Use part) noexcept {
    assert(part->height_ + 1 == height_);
    if (count_ == 0) first_ = part->first_;
    slots_in_all_ += part->slots_in_all_;
    new (reinterpret_cast<Use*>(this + 1) + count_++) Use(std::move(part));
  }
  void add_all(const Part& other) noexcept {
    if (height_ == 0)
      for (const Slot& each : other.slots()) add(each);
    else
      for (const Use& each : other.parts()) add(each);
  }

  static Grown appended(const Use& old, Slot&& slot) {
    const bool full = old->count_ == items_max;
    if (old->height_ == 0) {
      Use made = make(0, full ? 1 : old->count_ + 1);
      if (!full) made->add_all(*old);
      made->add(std::move(slot));
      if (full) return {old, std::move(made)};
      return {std::move(made), {}};
    }
    Grown last = appended(old->parts().back(), std::move(slot));
    if (last.beside && full) {  // last.part is as it was
      Use made = make(old->height_, 1);
      made->add(std::move(last.beside));
      return {old, std::move(made)};
    }
    Use made = make(old->height_, old->count_ + (last.beside ? 1U : 0U));
    for (const Use& each : old->parts().first(old->count_ - 1)) made->add(each);
    made->add(std::move(last.part));
    if (last.beside) made->add(std::move(last.beside));
    return {std::move(made), {}};
  }

  static Use edited_part(const Part& old, std::span<const Edit> edits) {
    if (old.height_ == 0) {
      const auto removed = static_cast<std::uint32_t>(
          std::ranges::count_if(edits, [](const Edit& edit) { return !edit.stored; }));
      if (removed == old.count_) return {};
      Use made = make(0, old.count_ - removed);
      apply(old.slots(), edits, [&](Slot&& slot) { made->add(std::move(slot)); });
      assert(edits.empty() && made->count_ == old.count_ - removed);
      return made;
    }
    std::array<Use, items_max> next;
    std::uint32_t count = 0;
    for (const Use& each : old.parts()) {
      const bool is_last = &each == &old.parts().back();
      const auto end = is_last
                           ? edits.end()
                           : std::ranges::lower_bound(edits, (&each)[1]->first_, {}, &Edit::serial);
      const auto own = edits.first(static_cast<std::size_t>(end - edits.begin()));
      edits = edits.subspan(own.size());
      Use part = own.empty() ? each : edited_part(*each, own);
      if (!part) continue;
      if (count > 0 && next[count - 1]->count_ + part->count_ <= items_max / 2)
        next[count - 1] = joined(*next[count - 1], *part);
      else
        next[count++] = std::move(part);
    }
    if (count == 0) return {};
    Use made = make(old.height_, count);
    for (Use& each : std::span(next).first(count)) made->add(std::move(each));
    return made;
  }

  static Use joined(const Part& left, const Part& right) {
    Use made = make(left.height_, left.count_ + right.count_);
    made->add_all(left);
    made->add_all(right);
    return made;
  }

  // acq_rel: the last release sees all others. One left: it is this one, and nobody else can share
  // the part.
  static void release(Part* part) noexcept {
    if (part->uses_.load(std::memory_order_acquire) != 1 &&
        part->uses_.fetch_sub(1, std::memory_order_acq_rel) != 1)
      return;
    if (part->height_ == 0)
      for (const Slot& each : part->slots()) each.~Slot();
    else
      for (const Use& each : part->parts()) each.~Use();
    part->~Part();
    ::operator delete(part);
  }

  typename Sync::template Atomic<std::uint32_t> uses_{1};
  const std::uint32_t height_;      // 0: a leaf
  std::uint32_t count_ = 0;         // items: slots of a leaf, parts of a branch
  std::uint32_t slots_in_all_ = 0;  // here and below
  std::uint64_t first_ = 0;         // the serial of the first of them
};

}  // namespace weir::keyed
