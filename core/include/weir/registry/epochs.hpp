/// Reclamation by epochs, asymmetric: readers pay two plain stores, writers a membarrier per batch.
///
/// Threads: every member may be called from any thread. A Section belongs to one thread.
///
/// Invariants:
/// - A slot holds 0 (its thread reads nothing) or the epoch in which its thread began to read.
/// - A batch closed as epoch E holds only what was unlinked before the epoch became E. So a reader
///   whose slot says E or more began after the unlinking, and cannot have found anything of it.
/// - A batch is freed when every slot was seen with 0, or E or more, after a heavy fence that came
///   after the unlinking: a reader that the fence did not make visible cannot find it either.
#pragma once
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <weir/sync.hpp>

namespace weir {

/// Keeps what a writer unlinked until the last reader that may still use it has left.
///
/// Reading:  Epochs<>::Section section(epochs); node = link.load(acquire); … use node …
/// Writing:  link.store(next, release); epochs.retire(old);
///
/// No thread waits: a reader enters and leaves in a few instructions whatever writers do, and a
/// slow reader only delays the freeing. Memory grows while a section stays open, so keep them short
/// and never block inside one.
template <class Sync = StdSync>
class Epochs {
  struct Slot;

 public:
  static constexpr std::size_t batch = 64;  ///< retirements after which a sweep is tried

  Epochs() = default;
  Epochs(const Epochs&) = delete;
  Epochs& operator=(const Epochs&) = delete;

  /// Frees everything. No section may be open and no retire() running.
  ~Epochs() {
    for (const Retired& each : pending_) each.destroy(each.object);
    for (const Batch& closed : closed_)
      for (const Retired& each : closed.retired) each.destroy(each.object);
    for (Block* block = more_.load(std::memory_order_relaxed); block != nullptr;)
      delete std::exchange(block, block->next.load(std::memory_order_relaxed));
  }

  /// While it lives, nothing that its thread finds in a link is freed. Sections may nest,
  /// and end in the reverse order of their beginning. Cost: about 2 ns; never waits.  [one thread]
  class Section {
   public:
    explicit Section(const Epochs& epochs)
        : slot_(epochs.slot_of_this_thread()), outermost_(!slot_.reading) {
      if (!outermost_) return;
      slot_.reading = true;
      // Release, though the value publishes nothing: what the thread did in earlier sections must
      // be visible to the sweep that reads this store instead of the one in ~Section.
      slot_.epoch.store(epochs.epoch_.load(std::memory_order_acquire), std::memory_order_release);
      Sync::light_fence();  // with heavy_fence in sweep(): the store before every load of a link
    }
    ~Section() {
      assert(slot_.reading);  // the outermost one ends last
      if (!outermost_) return;
      slot_.reading = false;
      slot_.epoch.store(0, std::memory_order_release);  // pairs with the acquire in oldest_reader()
    }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    Slot& slot_;
    const bool outermost_;
  };

  /// Takes over an object to which no link leads any more; `destroy` is called once, on the thread
  /// of this or some later retire() or sweep(), without any lock held. It must not throw, and may
  /// retire more. Cost: a lock, and a sweep every `batch` times; never waits for readers.
  void retire(void* object, void (*destroy)(void*) noexcept) {
    assert(object != nullptr && destroy != nullptr);
    bool full = false;
    {
      const std::scoped_lock lock(mutex_);
      pending_.push_back({object, destroy});
      full = pending_.size() >= batch;
    }
    if (full) sweep();
  }

  template <class T>
  void retire(const T* object) {
    retire(const_cast<T*>(object), [](void* dead) noexcept { delete static_cast<T*>(dead); });
  }

  /// Frees what no reader can reach any more, and returns how many objects that were. What remains
  /// may still be used by readers inside a section. Cost: one membarrier.
  std::size_t sweep() {
    std::vector<Retired> dead;
    {
      const std::scoped_lock lock(mutex_);
      if (!pending_.empty()) {
        // acq_rel: a reader of the new epoch sees every unlinking before it.
        const std::uint64_t epoch = epoch_.fetch_add(1, std::memory_order_acq_rel) + 1;
        assert(closed_.empty() || closed_.back().epoch < epoch);
        closed_.push_back({epoch, std::exchange(pending_, {})});
      }
      if (closed_.empty()) return 0;
      Sync::heavy_fence();  // with light_fence in Section
      const std::uint64_t oldest = oldest_reader();
      std::erase_if(closed_, [&](Batch& closed) {
        if (closed.epoch > oldest) return false;
        dead.insert(dead.end(), closed.retired.begin(), closed.retired.end());
        return true;
      });
    }
    for (const Retired& each : dead) each.destroy(each.object);
    return dead.size();
  }

  /// How many objects wait to be freed.
  std::size_t waiting() const {
    const std::scoped_lock lock(mutex_);
    std::size_t count = pending_.size();
    for (const Batch& closed : closed_) count += closed.retired.size();
    return count;
  }

 private:
  struct alignas(128) Slot {  // two lines: the prefetcher loads neighbours too
    typename Sync::template Atomic<std::uint64_t> epoch{0};
    // For its thread alone; not a count, so that sections don't wait for each other.
    bool reading = false;
  };
  struct Retired {
    void* object;
    void (*destroy)(void*) noexcept;
  };
  struct Batch {
    std::uint64_t epoch;
    std::vector<Retired> retired;
  };

  // Slots for threads beyond the first few; blocks double, are only added and never moved.
  struct Block {
    explicit Block(std::size_t begins) : first(begins), slots(begins + Sync::thread_slots) {}
    std::size_t first;  // the thread that its first slot is for
    std::vector<Slot> slots;
    typename Sync::template Atomic<Block*> next{nullptr};
  };

  Slot& slot_of_this_thread() const {
    const std::size_t index = Sync::thread_index();
    if (index < first_.size()) [[likely]]
      return first_[index];
    return slot_beyond(index);
  }

  [[gnu::noinline]] Slot& slot_beyond(std::size_t index) const {
    std::size_t first = first_.size();
    for (auto* link = &more_;;) {
      Block* block = link->load(std::memory_order_acquire);  // pairs with the store below
      if (block == nullptr) {
        const std::scoped_lock lock(mutex_);
        block = link->load(std::memory_order_relaxed);
        if (block == nullptr) {
          block = new Block(first);
          link->store(block, std::memory_order_release);
        }
      }
      assert(block->first == first);
      if (index - first < block->slots.size()) return block->slots[index - first];
      first += block->slots.size();
      link = &block->next;
    }
  }

  // The epoch of the reader that began first; the largest number when no thread reads.
  std::uint64_t oldest_reader() const {
    std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
    const auto check = [&](const Slot& slot) {
      // Acquire: what a reader that left did with the objects comes before their end.
      const std::uint64_t epoch = slot.epoch.load(std::memory_order_acquire);
      if (epoch != 0 && epoch < oldest) oldest = epoch;
    };
    for (const Slot& slot : first_) check(slot);
    for (const Block* block = more_.load(std::memory_order_acquire); block != nullptr;
         block = block->next.load(std::memory_order_acquire))
      for (const Slot& slot : block->slots) check(slot);
    return oldest;
  }

  mutable std::array<Slot, Sync::thread_slots> first_;
  mutable typename Sync::template Atomic<Block*> more_{nullptr};
  alignas(128) typename Sync::template Atomic<std::uint64_t> epoch_{1};
  mutable typename Sync::Mutex mutex_;  // guards what follows, and the adding of blocks
  std::vector<Retired> pending_;        // in no batch yet
  std::vector<Batch> closed_;           // oldest first
};

}  // namespace weir
