/// An open-addressing index from names to objects that many versions of a table share.
///
/// Threads: a FlatIndex is one word and is copied like one. Any number of threads may search the
/// data it refers to, as long as no thread changes that data. put() and erase() are for one thread,
/// on an index that no other thread has seen yet: the result of copied().
///
/// Invariants:
/// - The data is one allocation: a head, the slots, the bytes of the keys. The address of the keys
///   follows from the number of slots, which is in the low bits of the word itself; so a lookup
///   loads a slot, then the key and the value at once, and nothing before.
/// - The slots are in lines of four, a cache line each. A key's hash gives the first line to
///   search. Every line from there up to the line of the key is full, so a line with a free slot
///   ends the search. At most 4/5 of the slots have a value; free ones have the mark 0.
#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/assert.hpp"
#include "registry/name_hash.hpp"

namespace weir {

/// Maps names of at most 65,535 bytes to objects that it does not own. Spellings of a name in
/// different case are different names, but one search visits them all.
///
/// Lifetime: the caller of copied() or with_room(), or of put() on an empty index, calls free()
/// once, when no thread searches the index any more. An empty FlatIndex owns nothing.
template <class T>
class FlatIndex {
  struct Slot {
    std::uint32_t mark;  // 16 bits of the hash, and the key's length
    std::uint32_t key;   // the offset of its first byte
    T* value;            // null: the slot is free
  };
  struct alignas(64) Head {
    std::uint32_t count;
    std::uint32_t key_bytes;  // used so far
    std::uint32_t key_room;
    std::uint32_t key_bytes_dead;  // of keys that were erased
    void* memory;                  // where the allocation begins
  };

 public:
  static constexpr std::size_t key_bytes_max = 0xFFFF;

  FlatIndex() noexcept : word_(nothing_word()) {}

  /// The value of exactly that name; null when there is none. `hash` is name_hash(name).
  /// Cost: about 5 ns when the data is in the cache.
  T* find(std::string_view name, std::uint64_t hash) const noexcept {
    return search(name, hash, same_bytes);
  }

  /// As find(), ignoring case: the first match.
  T* find_folded(std::string_view name, std::uint64_t hash) const noexcept {
    return search(name, hash, same_folded);
  }

  std::size_t size() const noexcept { return is_nothing() ? 0 : head().count; }

  /// Bytes of the allocation.
  std::size_t bytes() const noexcept {
    return is_nothing() ? 0 : bytes_of(capacity(), head().key_room);
  }

  /// f(name, value) for each, in no particular order; the name is a view into the index.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i < capacity(); ++i)
      if (const Slot& slot = slots()[i]; slot.value != nullptr) f(key_of(slot), *slot.value);
  }

  /// A new index, owned by the caller, with the same content and room for one more name of that
  /// length. Cost: one copy of the bytes, unless it must grow or drop erased keys.
  FlatIndex copied(std::size_t more_key_bytes) const {
    if (is_nothing()) return FlatIndex(4, more_key_bytes);
    return remade(head().key_bytes + more_key_bytes);
  }

  /// A new, empty index, owned by the caller, with room for that many names before it grows.
  static FlatIndex with_room(std::size_t names, std::size_t key_bytes) {
    return FlatIndex(capacity_for(names), key_bytes);
  }

  /// Sets the value of a name, replacing the present one. Only on an index that the caller owns, or
  /// on an empty one.
  void put(std::string_view name, std::uint64_t hash, T* value) {
    WEIR_ASSERT(name.size() <= key_bytes_max && value != nullptr);
    WEIR_DEBUG_ASSERT(hash == name_hash(name));
    if (Slot* slot = slot_of(name, hash)) {
      slot->value = value;
      return;
    }
    if (is_nothing()) {
      *this = FlatIndex(4, name.size());
    } else if ((head().count + 1) * 5 > capacity() * 4 ||
               head().key_bytes + name.size() > head().key_room) {
      const FlatIndex grown = remade((head().key_bytes + name.size()) * 3 / 2);
      std::exchange(*this, grown).free();
    }
    insert(name, hash, value);
  }

  /// Removes a name; false when it was not there. Only on an index that the caller owns.
  bool erase(std::string_view name, std::uint64_t hash) {
    Slot* hole = slot_of(name, hash);
    if (hole == nullptr) return false;
    --head().count;
    head().key_bytes_dead += hole->mark & 0xFFFFU;
    auto empty = static_cast<std::size_t>(hole - slots());
    for (std::size_t i = successor(empty); i != capacity(); i = successor(empty))
      slots()[std::exchange(empty, i)] = slots()[i];
    slots()[empty] = {};
    WEIR_DEBUG_ASSERT(slot_of(name, hash) == nullptr);  // it was there once
    return true;
  }

  /// Frees the data; the values are left alone.
  void free() noexcept {
    if (is_nothing()) return;
    ::operator delete(head().memory);
    *this = FlatIndex();
  }

  /// Whether both refer to the same data.
  friend bool operator==(FlatIndex, FlatIndex) = default;

 private:
  static constexpr std::size_t line_slots = 64 / sizeof(Slot);
  alignas(64) static constexpr Slot nothing[line_slots]{};  // one line, always free
  // Unwritten slots must be written before the first search.
  enum class Slots { all_free, unwritten };

  FlatIndex(std::size_t capacity, std::size_t key_room, Slots slots = Slots::all_free) {
    WEIR_ASSERT(std::has_single_bit(capacity) && capacity >= line_slots);  // whole lines
    // Aligned by hand: that is much faster than an aligned allocation.
    void* const memory = ::operator new(bytes_of(capacity, key_room));
    void* aligned = memory;
    std::size_t space = alignof(Head) + sizeof(Head);
    std::align(alignof(Head), sizeof(Head), aligned, space);
    auto* head = new (aligned) Head{};
    head->key_room = static_cast<std::uint32_t>(key_room);
    head->memory = memory;
    auto* first = reinterpret_cast<Slot*>(head + 1);
    if (slots == Slots::all_free) std::uninitialized_value_construct_n(first, capacity);
    word_ = reinterpret_cast<std::uintptr_t>(first) |
            static_cast<std::uintptr_t>(std::countr_zero(capacity));
  }

  static std::size_t bytes_of(std::size_t capacity, std::size_t key_room) noexcept {
    return alignof(Head) + sizeof(Head) + capacity * sizeof(Slot) + key_room;
  }
  static std::size_t capacity_for(std::size_t names) noexcept {
    return std::max<std::size_t>(4, std::bit_ceil((names * 5 + 3) / 4));
  }
  static std::uint32_t mark_of(std::uint64_t hash, std::size_t length) noexcept {
    return static_cast<std::uint32_t>(hash >> 48U) << 16U | static_cast<std::uint32_t>(length);
  }

  static bool same_bytes(const char* a, const char* b, std::size_t length) noexcept {
    const auto differ = [&]<class Word>(std::size_t i, Word) {
      return keys::read<Word>(a + i) != keys::read<Word>(b + i);
    };
    if (length >= 8) {
      for (std::size_t i = 0; i + 8 < length; i += 8)
        if (differ(i, std::uint64_t{})) return false;
      return !differ(length - 8, std::uint64_t{});
    }
    if (length >= 4) return !differ(0, std::uint32_t{}) && !differ(length - 4, std::uint32_t{});
    return std::memcmp(a, b, length) == 0;
  }
  static bool same_folded(const char* a, const char* b, std::size_t length) noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::equal(a, a + length, b, [&](char x, char y) { return lower(x) == lower(y); });
  }

  template <class Same>
  T* search(std::string_view name, std::uint64_t hash, Same same) const noexcept {
    if (name.size() > key_bytes_max) [[unlikely]]
      return nullptr;
    // The whole line is compared at once. A branch on which of its slots matches would often be
    // mispredicted, which costs as much as the rest of the search. Positions are counted in bytes,
    // for one shift.
    const char* const bytes = reinterpret_cast<const char*>(word_ & ~std::uintptr_t{63});
    const std::size_t slot_bytes = sizeof(Slot) << (word_ & 63U);
    const auto* const line = reinterpret_cast<const Slot*>(
        bytes + ((hash * sizeof(Slot)) & (slot_bytes - sizeof(Slot[line_slots]))));
    const unsigned marked = slots_marked(line, mark_of(hash, name.size()));
    if (marked != 0) [[likely]] {
      const Slot& slot = line[std::countr_zero(marked)];
      if (same(bytes + slot_bytes + slot.key, name.data(), name.size())) [[likely]]
        return slot.value;
    }
    return search_on(name, hash, same);
  }

  // Finds a name that is not in the first matching slot of its first line.
  template <class Same>
  [[gnu::noinline]] T* search_on(std::string_view name, std::uint64_t hash,
                                 Same same) const noexcept {
    const std::uint32_t mark = mark_of(hash, name.size());
    for (std::size_t line = first_line(hash);; line = (line + line_slots) & (capacity() - 1)) {
      const Slot* const first = slots() + line;
      for (const Slot* slot = first; slot != first + line_slots; ++slot)
        if (slot->mark == mark && same(keys() + slot->key, name.data(), name.size()))
          return slot->value;
      if (has_free_slot(first)) return nullptr;
    }
  }

  // Bit i is set when slot i of the line has that mark.
  static unsigned slots_marked(const Slot* line, std::uint32_t mark) noexcept {
#ifdef __SSE2__
    const auto slot = [&](int i) {
      return _mm_load_si128(reinterpret_cast<const __m128i*>(line + i));
    };
    const __m128i marks = _mm_unpacklo_epi64(_mm_unpacklo_epi32(slot(0), slot(1)),
                                             _mm_unpacklo_epi32(slot(2), slot(3)));
    const __m128i same = _mm_cmpeq_epi32(marks, _mm_set1_epi32(static_cast<int>(mark)));
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(same)));
#else
    const auto bit = [&](unsigned i) { return static_cast<unsigned>(line[i].mark == mark) << i; };
    return bit(0) | bit(1) | bit(2) | bit(3);
#endif
  }
  static bool has_free_slot(const Slot* line) noexcept {
    return std::any_of(line, line + line_slots,
                       [](const Slot& slot) { return slot.value == nullptr; });
  }
  std::size_t first_line(std::uint64_t hash) const noexcept {
    return hash & (capacity() - 1) & ~(line_slots - 1);
  }

  Slot* slot_of(std::string_view name, std::uint64_t hash) const noexcept {
    for (std::size_t line = first_line(hash);; line = (line + line_slots) & (capacity() - 1)) {
      for (Slot* slot = slots() + line; slot != slots() + line + line_slots; ++slot)
        if (slot->value != nullptr && slot->mark == mark_of(hash, name.size()) &&
            key_of(*slot) == name)
          return slot;
      if (has_free_slot(slots() + line)) return nullptr;
    }
  }

  // The slot whose content must move to a slot that is about to be freed, because a search for it
  // passes the line that would no longer be full; capacity() when nothing has to move.
  std::size_t successor(std::size_t freed) const noexcept {
    const std::size_t mask = capacity() - 1;
    const std::size_t line = freed & ~(line_slots - 1);
    if (has_free_slot(slots() + line)) return capacity();
    for (std::size_t next = (line + line_slots) & mask; next != line;
         next = (next + line_slots) & mask) {
      for (std::size_t i = next; i != next + line_slots; ++i) {
        if (slots()[i].value == nullptr) continue;
        const std::size_t home = first_line(name_hash(key_of(slots()[i])));
        if (((next - home) & mask) >= ((next - line) & mask)) return i;
      }
      if (has_free_slot(slots() + next)) return capacity();
    }
    return capacity();
  }

  // Requires that there is room and that the name is absent.
  void insert(std::string_view name, std::uint64_t hash, T* value) noexcept {
    WEIR_ASSERT((std::size_t{head().count} + 1) * 5 <= capacity() * 4);
    WEIR_ASSERT(head().key_bytes + name.size() <= head().key_room);
    WEIR_DEBUG_ASSERT(slot_of(name, hash) == nullptr);
    const std::size_t mask = capacity() - 1;
    std::size_t i = first_line(hash);
    while (slots()[i].value != nullptr) i = (i + 1) & mask;
    std::memcpy(keys() + head().key_bytes, name.data(), name.size());
    slots()[i] = {mark_of(hash, name.size()), head().key_bytes, value};
    head().key_bytes += static_cast<std::uint32_t>(name.size());
    ++head().count;
  }

  // A copy with room for one more name; a plain copy of the bytes when no slot has to move.
  FlatIndex remade(std::size_t key_room) const {
    const std::size_t wanted = capacity_for(head().count + 1);
    const bool fits = wanted <= capacity() && wanted * 4 > capacity();
    if (!fits || head().key_bytes_dead * 2 > head().key_bytes) {
      FlatIndex copy(wanted, key_room);
      for_each(
          [&](std::string_view name, T& value) { copy.insert(name, name_hash(name), &value); });
      return copy;
    }
    FlatIndex copy(capacity(), key_room, Slots::unwritten);
    std::memcpy(static_cast<void*>(copy.slots()), slots(),
                capacity() * sizeof(Slot) + head().key_bytes);
    copy.head().count = head().count;
    copy.head().key_bytes = head().key_bytes;
    copy.head().key_bytes_dead = head().key_bytes_dead;
    return copy;
  }

  static std::uintptr_t nothing_word() noexcept {
    return reinterpret_cast<std::uintptr_t>(nothing) | std::countr_zero(line_slots);
  }
  bool is_nothing() const noexcept { return word_ == nothing_word(); }
  std::size_t capacity() const noexcept { return std::size_t{1} << (word_ & 63U); }
  Slot* slots() const noexcept { return reinterpret_cast<Slot*>(word_ & ~std::uintptr_t{63}); }
  char* keys() const noexcept { return reinterpret_cast<char*>(slots() + capacity()); }
  Head& head() const noexcept { return *(reinterpret_cast<Head*>(slots()) - 1); }
  std::string_view key_of(const Slot& slot) const noexcept {
    return {keys() + slot.key, slot.mark & 0xFFFFU};
  }

  std::uintptr_t word_;  // the first slot's address, and in its low 6 bits log2 of their number
};

/// A FlatIndex that is freed at the end of its scope.
template <class T>
class ScopedFlatIndex : public FlatIndex<T> {
 public:
  explicit ScopedFlatIndex(FlatIndex<T> own = {}) : FlatIndex<T>(own) {}
  ~ScopedFlatIndex() { this->free(); }
  ScopedFlatIndex(const ScopedFlatIndex&) = delete;
  ScopedFlatIndex& operator=(const ScopedFlatIndex&) = delete;
};

}  // namespace weir
