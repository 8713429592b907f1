/// Threads: find() may run beside everything else, inside a section of the epochs that removed
/// entries are retired to, or under the owner's mutex; insert, remove and for_each under that
/// mutex.
///
/// Invariants: at least half of the slots are empty, so that every search ends; an entry never
/// moves within one array of slots, so that a search which began before the entry was inserted and
/// ends after it was removed found it absent at a moment between.
#pragma once
#include <cassert>
#include <cstddef>
#include <memory>
#include <vector>

namespace weir::registry {

/// Entries by their hash (`entry.hash`): open addressing over atomic pointers. Owns no entry.
template <class Entry, class Sync>
class HandleTable {
 public:
  struct Slot {
    typename Sync::template Atomic<Entry*> entry{nullptr};
  };
  struct Slots {
    explicit Slots(std::size_t size) : mask(size - 1), at(size) {}
    std::size_t mask;
    std::vector<Slot> at;
  };

  HandleTable() : slots_(new Slots(size_min)) {}
  ~HandleTable() { delete slots_.load(std::memory_order_relaxed); }
  HandleTable(const HandleTable&) = delete;
  HandleTable& operator=(const HandleTable&) = delete;

  /// The entry of that hash for which `is` holds; nullptr when there is none.
  template <class Is>
  Entry* find(std::size_t hash, const Is& is) const {
    const Slots& slots = *slots_.load(std::memory_order_acquire);  // pairs with insert
    for (std::size_t i = hash;; ++i) {
      // Acquire: pairs with the release in insert, so that the entry's parts are seen.
      Entry* const entry = slots.at[i & slots.mask].entry.load(std::memory_order_acquire);
      if (entry == nullptr) return nullptr;
      if (entry != tombstone() && entry->hash == hash && is(*entry)) return entry;
    }
  }

  /// Adds an entry that is not in the table. Returns the array that it outgrew, to be retired.
  [[nodiscard]] const Slots* insert(Entry* entry) {
    const Slots* outgrown = nullptr;
    Slots* slots = slots_.load(std::memory_order_relaxed);
    if ((used_ + 1) * 2 > slots->at.size()) {
      outgrown = slots;
      slots = rebuilt();
      slots_.store(slots, std::memory_order_release);
    }
    Slot& free = free_slot(*slots, entry->hash);
    if (free.entry.load(std::memory_order_relaxed) == nullptr) ++used_;
    free.entry.store(entry, std::memory_order_release);
    ++count_;
    assert(used_ * 2 <= slots->at.size());
    return outgrown;
  }

  /// Removes an entry that is in the table; the caller must retire it.
  void remove(const Entry* entry) {
    Slots& slots = *slots_.load(std::memory_order_relaxed);
    std::size_t i = entry->hash;
    for (;; ++i) {
      const Entry* const at = slots.at[i & slots.mask].entry.load(std::memory_order_relaxed);
      assert(at != nullptr);  // a search for it ended: it is not in the table
      if (at == entry) break;
    }
    // A slot that is followed by an empty one need not be remembered as one that searches go past.
    const bool last =
        slots.at[(i + 1) & slots.mask].entry.load(std::memory_order_relaxed) == nullptr;
    slots.at[i & slots.mask].entry.store(last ? nullptr : tombstone(), std::memory_order_release);
    if (last) --used_;
    --count_;
    assert(count_ <= used_);  // so neither went below zero
  }

  template <class Function>
  void for_each(const Function& function) const {
    for (const Slot& slot : slots_.load(std::memory_order_relaxed)->at) {
      Entry* const entry = slot.entry.load(std::memory_order_relaxed);
      if (entry != nullptr && entry != tombstone()) function(*entry);
    }
  }

 private:
  static constexpr std::size_t size_min = 8;

  // Marks a slot whose entry was removed while others follow it. Compared, never dereferenced.
  static Entry* tombstone() noexcept { return reinterpret_cast<Entry*>(&tombstone_); }
  alignas(void*) static inline char tombstone_ = 0;

  static Slot& free_slot(Slots& slots, std::size_t hash) {
    for (std::size_t i = hash;; ++i) {
      Slot& slot = slots.at[i & slots.mask];
      const Entry* const taken = slot.entry.load(std::memory_order_relaxed);
      if (taken == nullptr || taken == tombstone()) return slot;
    }
  }

  Slots* rebuilt() {
    std::size_t size = size_min;
    while (size < (count_ + 1) * 4) size *= 2;
    auto made = std::make_unique<Slots>(size);
    for_each([&](Entry& entry) {
      free_slot(*made, entry.hash).entry.store(&entry, std::memory_order_relaxed);
    });
    used_ = count_;
    return made.release();
  }

  typename Sync::template Atomic<Slots*> slots_;
  std::size_t count_ = 0;  // entries
  std::size_t used_ = 0;   // slots that are not empty: entries and tombstones
};

}  // namespace weir::registry
