/// Counts of who holds an object, striped over threads and transposed: the counts that one stripe
/// of 64 objects needs lie together, so an object costs 4 bytes a stripe and not a cache line each.
///
/// Threads: take() and drop() from any thread, retire() from one, once. PinPool::claim belongs to
/// one thread at a time; what it gave may be given back by any.
///
/// Invariants:
/// - A count is dropped where it was taken, so no stripe's count is ever below the truth.
/// - take() happens only while retire() cannot have begun, or on a count that is held just now. So
///   a stripe that is retired and at zero stays at zero for good: it has *ended*.
/// - Each stripe ends once: seen by retire() finding it at zero, or by the drop() that brings it to
///   exactly `retired`. Whoever sees the last stripe end owns the object, alone.
/// - After its drop() a thread looks neither at the count nor at the object, unless it ended the
///   stripe; then the object cannot be gone, because this stripe has not been counted as ended yet.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <weir/sync.hpp>

#include "base/assert.hpp"

namespace weir {

template <class Sync>
class PinPool;

/// The counts of one object. It is held as long as any stripe is, and ends once: when it has been
/// retired and nobody holds it, take(), drop() or retire() never having waited for one another.
template <class Sync = StdSync>
class Pins {
 public:
  using Count = typename Sync::template Atomic<std::uint32_t>;
  static constexpr std::uint32_t retired = 1U << 31U;  // so a stripe counts to 2^31 - 1

  /// Of an object that is retired from the beginning, and held once: by alone().
  Pins() = default;
  Pins(const Pins&) = delete;
  Pins& operator=(const Pins&) = delete;
  ~Pins();

  /// The one count of an object that no pool serves, already taken.
  Count& alone() noexcept { return alone_; }

  /// Whether a pool has given it counts.
  bool claimed() const noexcept { return block_ != nullptr; }

  /// Holds the object on the stripe of this thread: give what it returns to drop(), once.
  /// Cost: one RMW on a line that other threads seldom touch.
  Count& take() noexcept {
    Count& count = rows_[Sync::thread_index() & stripe_mask_].counts[slot_];
    // Relaxed: whoever may call this is ordered before retire() by what forbids retiring.
    count.fetch_add(1, std::memory_order_relaxed);
    return count;
  }

  /// Holds what is held on that count once more.
  static void take_again(Count& count) noexcept { count.fetch_add(1, std::memory_order_relaxed); }

  /// Lets go of what was taken on that count. True when this ended the stripe: then the caller must
  /// call ended(). Cost: one RMW.
  static bool drop(Count& count) noexcept {
    // Release: what the holder did comes before the object's end. Acquire: as the one who may end
    // it.
    return count.fetch_sub(1, std::memory_order_acq_rel) == retired + 1;
  }

  /// Says that a stripe has ended. True when it was the last: the object is the caller's alone.
  bool ended(std::uint32_t stripes = 1) noexcept {
    return left_.fetch_sub(stripes, std::memory_order_acq_rel) == stripes;
  }

  /// Nobody can take it any more, save who holds it. True when nobody does: the object is the
  /// caller's alone. Otherwise it will be that of the last to drop(); don't touch it again.
  bool retire() noexcept {
    // Once the last stripe is marked a drop() elsewhere may end the object: no member after that.
    auto* const rows = rows_;
    const std::size_t slot = slot_;
    const std::size_t stripes = std::size_t{stripe_mask_} + 1;
    // The mistake: others may still hold it on these counts.
    std::exchange(block_, nullptr)->give_back(slot_);
    std::uint32_t at_zero = 0;
    for (std::size_t stripe = 0; stripe < stripes; ++stripe)
      if (rows[stripe].counts[slot].fetch_or(retired, std::memory_order_acq_rel) == 0) ++at_zero;
    // Said at once, at the end: until then the object has a stripe that did not end.
    return at_zero != 0 && ended(at_zero);
  }

 private:
  friend class PinPool<Sync>;

  typename PinPool<Sync>::Row* rows_ = nullptr;  // the block's, kept here to save a load
  typename PinPool<Sync>::Block* block_ = nullptr;
  std::uint16_t slot_ = 0;
  std::uint16_t stripe_mask_ = 0;
  Count left_{1};  // stripes that have not ended
  Count alone_{retired + 1};
};

/// Where the counts of many objects lie. Its memory lives as long as the last object whose counts
/// it holds, though the pool be destroyed before; it is never more than the most objects at once
/// needed.
template <class Sync = StdSync>
class PinPool {
 public:
  static constexpr std::size_t slots = 64;        // of a block: the bits of its word of free ones
  static constexpr std::size_t stripes_max = 64;  // more would only make retire() slow

  /// At least two stripes a core, so that threads which run at once seldom share one.
  static std::size_t stripes_for_this_machine() {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    return std::min(std::bit_ceil(2 * cores), stripes_max);
  }

  /// `stripes` is a power of two, at most stripes_max.
  explicit PinPool(std::size_t stripes) : shared_(new Shared(stripes)) {
    WEIR_ASSERT(std::has_single_bit(stripes) && stripes <= stripes_max);
  }
  ~PinPool() { shared_->leave(); }
  PinPool(const PinPool&) = delete;
  PinPool& operator=(const PinPool&) = delete;

  /// Gives an object its counts, all at zero. They come back when its Pins are destroyed: once they
  /// have ended, or if no other thread ever saw them.  [one thread at a time]
  void claim(Pins<Sync>& pins) {
    Block& block = shared_->with_a_free_slot();
    const std::uint64_t free = block.free.load(std::memory_order_relaxed);
    const auto slot = static_cast<std::uint16_t>(std::countr_zero(free));
    const std::uint64_t bit = std::uint64_t{1} << slot;
    // Acquire, with the release in give_back(): the counts' last life is over.
    if (block.free.fetch_and(~bit, std::memory_order_acquire) == bit) shared_->open.pop_back();
    for (Row& row : block.rows) row.counts[slot].store(0, std::memory_order_relaxed);
    pins.rows_ = block.rows.data();
    pins.block_ = &block;
    pins.slot_ = slot;
    pins.stripe_mask_ = static_cast<std::uint16_t>(block.rows.size() - 1);
    pins.left_.store(static_cast<std::uint32_t>(block.rows.size()), std::memory_order_relaxed);
    shared_->users.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  friend class Pins<Sync>;
  template <class T>
  using Atomic = typename Sync::template Atomic<T>;

  struct alignas(128) Row {  // two lines: the prefetcher takes neighbours along
    std::array<Atomic<std::uint32_t>, slots> counts{};
  };

  struct Shared;

  struct Block {
    Block(Shared& owner, std::size_t stripes) : pool(owner), rows(stripes) {}

    // The last thing that Pins do.
    void give_back(std::uint16_t slot) noexcept {
      Shared& shared = pool;
      // Release, with the acquire in claim(). Whoever finds the block full puts it where the next
      // claim looks: so it stands there once, or among `open`, or is full.
      if (free.fetch_or(std::uint64_t{1} << slot, std::memory_order_release) == 0) {
        Block* first = shared.returned.load(std::memory_order_relaxed);
        do next.store(first, std::memory_order_relaxed);
        while (!shared.returned.compare_exchange_weak(first, this, std::memory_order_release,
                                                      std::memory_order_relaxed));
      }
      shared.leave();
    }

    Shared& pool;
    std::vector<Row> rows;
    Atomic<std::uint64_t> free{~std::uint64_t{0}};
    Atomic<Block*> next{nullptr};  // among `returned`
  };

  struct Shared {
    explicit Shared(std::size_t count) : stripes(count) {}

    void leave() noexcept {
      if (users.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    Block& with_a_free_slot() {
      if (open.empty()) {
        // All at once, so that no block can leave the list and come back under a thread's eyes.
        Block* block = returned.exchange(nullptr, std::memory_order_acquire);
        for (; block != nullptr; block = block->next.load(std::memory_order_relaxed))
          open.push_back(block);
      }
      if (open.empty()) {
        blocks.push_back(std::make_unique<Block>(*this, stripes));
        open.push_back(blocks.back().get());
      }
      return *open.back();
    }

    std::size_t stripes;
    std::vector<std::unique_ptr<Block>> blocks;
    std::vector<Block*> open;          // the claiming thread knows that a slot of it is free
    Atomic<Block*> returned{nullptr};  // blocks that were full and have a free slot again
    Atomic<std::size_t> users{1};      // the pool, and all whose counts are here
  };

  Shared* shared_;
};

template <class Sync>
Pins<Sync>::~Pins() {
  if (block_ != nullptr) block_->give_back(slot_);
}

}  // namespace weir
