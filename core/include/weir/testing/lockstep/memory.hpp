/// Which stores a task may still read, with weak memory.
///
/// After the views of Kang, Hur, Lahav, Vafeiadis and Dreyer, "A Promising Semantics for
/// Relaxed-Memory Concurrency" (2017), without their promises: a load may give any store that its
/// task has not seen a later one of, and what a store publishes depends on its order and on fences.
///
/// Invariants:
/// - The stores to one location have the order in which they were made, and are numbered from 1; 0
///   is its first value.
/// - No view ever goes back.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <weir/testing/lockstep/schedule.hpp>

namespace weir::lockstep {

/// For each location, by its number: the oldest store that may still be read.
class View {
 public:
  std::uint32_t of(std::uint32_t location) const noexcept {
    return location < oldest_.size() ? oldest_[location] : 0;
  }
  void raise(std::uint32_t location, std::uint32_t store) {
    if (oldest_.size() <= location) oldest_.resize(location + std::size_t{1});
    oldest_[location] = std::max(oldest_[location], store);
  }
  void join(const View& other) {
    if (oldest_.size() < other.oldest_.size()) oldest_.resize(other.oldest_.size());
    for (std::size_t i = 0; i < other.oldest_.size(); ++i)
      oldest_[i] = std::max(oldest_[i], other.oldest_[i]);
  }
  void clear() noexcept { oldest_.clear(); }

 private:
  std::vector<std::uint32_t> oldest_;
};

class Memory {
 public:
  void clear() {
    for (Task& task : tasks_) task = {};
    total_.clear();
    of_indexes_.clear();
  }

  /// A task begins with all that its starter has seen, and with what the one before it that had its
  /// thread index has done.
  void begin(TaskNumber task, TaskNumber starter, std::size_t index) {
    tasks_[task] = {.now = tasks_[starter].now, .acquirable = {}, .released = {}};
    if (index < of_indexes_.size()) tasks_[task].now.join(of_indexes_[index]);
  }
  void end(TaskNumber task, std::size_t index) {
    fence(task, std::memory_order_seq_cst);  // the system ends no thread without one
    if (of_indexes_.size() <= index) of_indexes_.resize(index + 1);
    of_indexes_[index].join(tasks_[task].now);
  }
  void join(TaskNumber task, TaskNumber ended) { tasks_[task].now.join(tasks_[ended].now); }

  /// The oldest store that a load of that order may give.
  std::uint32_t oldest(TaskNumber task, std::uint32_t location, std::memory_order order) {
    View& now = tasks_[task].now;
    if (order == std::memory_order_seq_cst) now.raise(location, total_.of(location));
    return now.of(location);
  }
  /// `published`: what write() gave for the store that was read.
  void read(TaskNumber task, std::uint32_t location, std::uint32_t store, const View& published,
            std::memory_order order) {
    Task& reader = tasks_[task];
    reader.now.raise(location, store);
    (acquires(order) ? reader.now : reader.acquirable).join(published);
  }
  /// Returns what the store publishes to those who acquire it.
  View write(TaskNumber task, std::uint32_t location, std::uint32_t store,
             std::memory_order order) {
    Task& writer = tasks_[task];
    writer.now.raise(location, store);
    if (order == std::memory_order_seq_cst) total_.raise(location, store);
    View published = releases(order) ? writer.now : writer.released;
    published.raise(location, store);
    return published;
  }

  void fence(TaskNumber task, std::memory_order order) {
    Task& own = tasks_[task];
    if (acquires(order)) own.now.join(own.acquirable);
    if (order == std::memory_order_seq_cst) {
      own.now.join(total_);
      total_.join(own.now);
    }
    if (releases(order)) own.released = own.now;
  }

  /// As if each of the tasks, given as bits, passed a sequentially consistent fence at this moment.
  void fence_all(std::uint64_t tasks) {
    for (int round = 0; round < 2; ++round)  // the second gives each what the first has gathered
      for (TaskNumber task = 0; task < tasks_max; ++task)
        if ((tasks >> task & 1) != 0) fence(task, std::memory_order_seq_cst);
  }

  // What a mutex or a semaphore passes on.

  void acquire(TaskNumber task, const View& from) { tasks_[task].now.join(from); }
  void release(TaskNumber task, View& to) const { to.join(tasks_[task].now); }

 private:
  struct Task {
    View now;         // nothing older is read
    View acquirable;  // `now` after an acquire fence: what relaxed loads have read
    View released;    // what relaxed stores publish: `now` at the last release fence
  };

  static bool acquires(std::memory_order order) noexcept {
    return order != std::memory_order_relaxed && order != std::memory_order_release;
  }
  static bool releases(std::memory_order order) noexcept {
    return order == std::memory_order_release || order == std::memory_order_acq_rel ||
           order == std::memory_order_seq_cst;
  }

  std::array<Task, tasks_max> tasks_;
  View total_;  // what sequentially consistent stores and fences have made visible to all others
  std::vector<View> of_indexes_;
};

/// The last stores to one location; older ones are not read any more.
template <class T>
class Stores {
 public:
  struct Store {
    T value;
    View published;
  };
  static constexpr std::size_t kept_max = 8;

  explicit Stores(T first_value) { kept_.push_back({first_value, {}}); }

  std::uint32_t oldest() const noexcept { return oldest_; }
  std::uint32_t newest() const noexcept {
    return oldest_ + static_cast<std::uint32_t>(kept_.size()) - 1;
  }
  const Store& at(std::uint32_t number) const {
    assert(number >= oldest_ && number <= newest());
    return kept_[number - oldest_];
  }
  void append(T value, View published) {
    kept_.push_back({value, std::move(published)});
    if (kept_.size() <= kept_max) return;
    kept_.erase(kept_.begin());
    ++oldest_;
  }

 private:
  std::vector<Store> kept_;
  std::uint32_t oldest_ = 0;
};

}  // namespace weir::lockstep
