/// Counts of the holders of objects, striped over threads and transposed: the counts that one
/// stripe of 64 objects needs are adjacent, so an object costs 4 bytes a stripe and not a cache
/// line each.
///
/// Threads: take() and drop() from any thread, retire() from one, once. PinPool::claim is for one
/// thread at a time; any thread may return the counts it gave.
///
/// Invariants:
/// - A hold is dropped on the count where it was taken, so no stripe's count is ever too low.
/// - take() is called only while retire() cannot have begun, and take_again() only on a count that
///   is held at that moment. So a stripe that is retired and at zero stays at zero: it has *ended*.
/// - Each stripe ends once: either retire() finds it at zero, or a drop() brings it to exactly
///   `retired`. The thread that sees the last stripe end owns the object alone.
/// - After its drop() a thread touches neither the count nor the object, unless it ended the
///   stripe; then the object still exists, because this stripe has not been counted as ended yet.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <weir/sync.hpp>

#include "base/assert.hpp"

namespace weir {

template <class Sync>
class PinPool;

/// The counts of one object. It is held as long as any stripe is, and ends once: when it has been
/// retired and has no holder. take(), drop() and retire() never wait for one another.
template <class Sync = StdSync>
class Pins {
 public:
  using Count = typename Sync::template Atomic<std::uint32_t>;
  static constexpr std::uint32_t retired = 1U << 31U;  // so a stripe counts to 2^31 - 1

  /// For an object that is retired from the beginning, and held once: by alone().
  Pins() = default;
  Pins(const Pins&) = delete;
  Pins& operator=(const Pins&) = delete;
  ~Pins();

  /// The only count of an object without a pool, already taken.
  Count& alone() noexcept { return alone_; }

  /// Whether a pool has given the object its counts.
  bool claimed() const noexcept { return block_ != nullptr; }

  /// Holds the object on the stripe of this thread: pass the result to drop(), once.
  /// Cost: one RMW on a line that other threads seldom touch.
  Count& take() noexcept {
    Count& count = rows_[Sync::thread_index() & stripe_mask_].counts[slot_];
    // Relaxed: what keeps retire() from beginning also orders this call before it.
    count.fetch_add(1, std::memory_order_relaxed);
    return count;
  }

  /// Adds a hold to a count that is held.
  static void take_again(Count& count) noexcept { count.fetch_add(1, std::memory_order_relaxed); }

  /// Releases a hold on that count. True when this ended the stripe: then the caller must call
  /// ended(). Cost: one RMW.
  static bool drop(Count& count) noexcept {
    // Release: the holder's accesses come before the object's end. Acquire: this thread may be the
    // one that ends it.
    return count.fetch_sub(1, std::memory_order_acq_rel) == retired + 1;
  }

  /// Reports that a stripe has ended. True when it was the last: the caller owns the object alone.
  bool ended(std::uint32_t stripes = 1) noexcept {
    const std::uint32_t left = left_.fetch_sub(stripes, std::memory_order_acq_rel);
    WEIR_ASSERT(left >= stripes);  // each ends once
    return left == stripes;
  }

  /// From now on only its holders can take the object. True when there is none: the caller owns the
  /// object alone. Otherwise the last to drop() will; don't touch the object again.
  bool retire() noexcept {
    // Once the last stripe is marked, a drop() elsewhere may end the object: no member after that.
    auto* const rows = rows_;
    const std::size_t slot = slot_;
    const std::size_t stripes = std::size_t{stripe_mask_} + 1;
    std::uint32_t at_zero = 0;
    for (std::size_t stripe = 0; stripe < stripes; ++stripe) {
      const auto held = rows[stripe].counts[slot].fetch_or(retired, std::memory_order_acq_rel);
      WEIR_ASSERT(held < retired);  // it is retired once
      if (held == 0) ++at_zero;
    }
    // Reported in one call, at the end: until then the object has a stripe that has not ended.
    return at_zero != 0 && ended(at_zero);
  }

 private:
  friend class PinPool<Sync>;

  typename PinPool<Sync>::Row* rows_ = nullptr;  // the block's rows, kept here to save a load
  typename PinPool<Sync>::Block* block_ = nullptr;
  std::uint16_t slot_ = 0;
  std::uint16_t stripe_mask_ = 0;
  Count left_{1};  // stripes that have not ended
  Count alone_{retired + 1};
};

/// Memory for the counts of many objects. It lives as long as the last object whose counts it
/// holds, even after the pool is destroyed; it never exceeds what the most objects at one time
/// needed.
template <class Sync = StdSync>
class PinPool {
 public:
  static constexpr std::size_t slots = 64;        // per block: the bits of its word of free slots
  static constexpr std::size_t stripes_max = 64;  // more would only make retire() slow

  /// At least two stripes per core, so that threads which run at once seldom share one.
  static std::size_t stripes_for_this_machine() {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    return std::min(std::bit_ceil(2 * cores), stripes_max);
  }

  /// `stripes` is a power of two, at most stripes_max.
  explicit PinPool(std::size_t stripes) : shared_(new Shared(stripes)) {
    WEIR_ASSERT(std::has_single_bit(stripes) && stripes <= stripes_max);
  }
  ~PinPool() { shared_->remove_user(); }
  PinPool(const PinPool&) = delete;
  PinPool& operator=(const PinPool&) = delete;

  /// Gives an object its counts, all at zero. They are returned when its Pins are destroyed, which
  /// must be after they ended, unless no other thread ever saw them.  [one thread at a time]
  void claim(Pins<Sync>& pins) {
    WEIR_ASSERT(!pins.claimed());
    Block& block = shared_->with_a_free_slot();
    const std::uint64_t free = block.free.load(std::memory_order_relaxed);
    WEIR_ASSERT(free != 0);
    const auto slot = static_cast<std::uint16_t>(std::countr_zero(free));
    const std::uint64_t bit = std::uint64_t{1} << slot;
    // Acquire, with the release in release_slot(): the previous use of the counts is over.
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

  struct alignas(128) Row {  // two lines: the prefetcher loads neighbours too
    std::array<Atomic<std::uint32_t>, slots> counts{};
  };

  struct Shared;

  struct Block {
    Block(Shared& owner, std::size_t stripes) : pool(owner), rows(stripes) {}

    // The last access by Pins.
    void release_slot(std::uint16_t slot) noexcept {
      Shared& shared = pool;
      const std::uint64_t bit = std::uint64_t{1} << slot;
      // Release, with the acquire in claim(). The thread that finds the block full adds it to
      // `returned`, where the next claim looks: so a block is there once, or in `open`, or is full.
      const std::uint64_t before = free.fetch_or(bit, std::memory_order_release);
      WEIR_ASSERT((before & bit) == 0);  // it was given to one object
      if (before == 0) {
        Block* first = shared.returned.load(std::memory_order_relaxed);
        do next.store(first, std::memory_order_relaxed);
        while (!shared.returned.compare_exchange_weak(first, this, std::memory_order_release,
                                                      std::memory_order_relaxed));
      }
      shared.remove_user();
    }

    Shared& pool;
    std::vector<Row> rows;
    Atomic<std::uint64_t> free{~std::uint64_t{0}};
    Atomic<Block*> next{nullptr};  // among `returned`
  };

  struct Shared {
    explicit Shared(std::size_t count) : stripes(count) {}

    void remove_user() noexcept {
      if (users.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    Block& with_a_free_slot() {
      if (open.empty()) {
        // All at once, so that no block can leave the list and return to it meanwhile.
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
    std::vector<Block*> open;          // the claiming thread knows that each has a free slot
    Atomic<Block*> returned{nullptr};  // blocks that were full and have a free slot again
    Atomic<std::size_t> users{1};      // the pool, and all objects whose counts are here
  };

  Shared* shared_;
};

template <class Sync>
Pins<Sync>::~Pins() {
  if (block_ != nullptr) block_->release_slot(slot_);
}

}  // namespace weir
