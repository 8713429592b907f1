/// Atomics under lockstep: each operation is a point.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include <weir/testing/lockstep/memory.hpp>
#include <weir/testing/lockstep/mutex.hpp>

namespace weir::lockstep {

/// As std::atomic. With Options::weak_memory a load may give an older value, as far as the orders
/// and fences allow; without, every order is treated as sequentially consistent.
template <class T>
class Atomic {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;

  Atomic() noexcept = default;
  Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst) const {
    detail::point(Operation::load, number_);
    Memory* const memory = weak_memory();
    if (memory == nullptr || !stores_) return value_;
    Scheduler& scheduler = *Scheduler::current();
    const std::uint32_t oldest =
        std::max(stores_->oldest(), memory->oldest(scheduler.running(), number_, order));
    const std::uint32_t newest = stores_->newest();
    const auto back = static_cast<std::uint32_t>(scheduler.rare(newest - oldest + std::size_t{1}));
    if (back != 0) scheduler.note(Operation::old_value, number_);
    return read(*memory, newest - back, order);
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    detail::point(Operation::store, number_);
    if (Memory* const memory = weak_memory()) write(*memory, value, order, nullptr);
    value_ = value;
  }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst) {
    return change(Operation::exchange, order, [&](T) { return value; });
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                               std::memory_order failure) {
    return compare_exchange(expected, desired, success, failure, false);
  }
  bool compare_exchange_strong(T& expected, T desired,
                               std::memory_order order = std::memory_order_seq_cst) {
    return compare_exchange(expected, desired, order, on_failure(order), false);
  }
  /// May fail though the value is the expected one, as it may on machines whose atomics are loads
  /// and stores with a reservation.
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                             std::memory_order failure) {
    return compare_exchange(expected, desired, success, failure, true);
  }
  bool compare_exchange_weak(T& expected, T desired,
                             std::memory_order order = std::memory_order_seq_cst) {
    return compare_exchange(expected, desired, order, on_failure(order), true);
  }

  using difference_type = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;
  T fetch_add(difference_type by, std::memory_order order = std::memory_order_seq_cst) {
    return change(Operation::fetch_add, order, [&](T old) { return static_cast<T>(old + by); });
  }
  T fetch_sub(difference_type by, std::memory_order order = std::memory_order_seq_cst) {
    return change(Operation::fetch_sub, order, [&](T old) { return static_cast<T>(old - by); });
  }
  T fetch_and(T with, std::memory_order order = std::memory_order_seq_cst) {
    return change(Operation::fetch_and, order, [&](T old) { return static_cast<T>(old & with); });
  }
  T fetch_or(T with, std::memory_order order = std::memory_order_seq_cst) {
    return change(Operation::fetch_or, order, [&](T old) { return static_cast<T>(old | with); });
  }
  T fetch_xor(T with, std::memory_order order = std::memory_order_seq_cst) {
    return change(Operation::fetch_xor, order, [&](T old) { return static_cast<T>(old ^ with); });
  }

  operator T() const { return load(); }
  T operator=(T value) {
    store(value);
    return value;
  }
  T operator++() { return static_cast<T>(fetch_add(1) + 1); }
  T operator++(int) { return fetch_add(1); }
  T operator--() { return static_cast<T>(fetch_sub(1) - 1); }
  T operator--(int) { return fetch_sub(1); }
  T operator+=(difference_type by) { return static_cast<T>(fetch_add(by) + by); }
  T operator-=(difference_type by) { return static_cast<T>(fetch_sub(by) - by); }

 private:
  static std::memory_order on_failure(std::memory_order success) noexcept {
    return success == std::memory_order_acq_rel   ? std::memory_order_acquire
           : success == std::memory_order_release ? std::memory_order_relaxed
                                                  : success;
  }

  // Null where memory is sequentially consistent, and for one made outside a schedule.
  Memory* weak_memory() const noexcept {
    Scheduler* const scheduler = Scheduler::current();
    return scheduler == nullptr || number_ == 0 ? nullptr : scheduler->weak_memory();
  }

  T read(Memory& memory, std::uint32_t store, std::memory_order order) const {
    const auto& found = stores_->at(store);
    memory.read(Scheduler::current()->running(), number_, store, found.published, order);
    return found.value;
  }
  // `replaced`: the store that an operation has read and replaces at once. Who acquires the new one
  // acquires that too.
  void write(Memory& memory, T value, std::memory_order order, const View* replaced) {
    if (!stores_) stores_ = std::make_unique<Stores<T>>(value_);
    View published =
        memory.write(Scheduler::current()->running(), number_, stores_->newest() + 1, order);
    if (replaced != nullptr) published.join(*replaced);
    stores_->append(value, std::move(published));
  }

  // An operation that reads and writes at once, and so reads the newest value.
  template <class Change>
  T change(Operation operation, std::memory_order order, Change next) {
    detail::point(operation, number_);
    const T old = value_;
    replace(next(old), order);
    return old;
  }
  void replace(T value, std::memory_order order) {
    if (Memory* const memory = weak_memory()) {
      if (stores_) {
        (void)read(*memory, stores_->newest(), order);
        const View replaced = stores_->at(stores_->newest()).published;
        write(*memory, value, order, &replaced);
      } else {
        write(*memory, value, order, nullptr);
      }
    }
    value_ = value;
  }

  bool compare_exchange(T& expected, T desired, std::memory_order success,
                        std::memory_order failure, bool may_fail) {
    detail::point(Operation::compare_exchange, number_);
    Scheduler* const scheduler = Scheduler::current();
    if (std::memcmp(&value_, &expected, sizeof(T)) == 0 &&
        !(may_fail && scheduler != nullptr && detail::fails_spuriously(*scheduler))) {
      replace(desired, success);
      return true;
    }
    if (Memory* const memory = weak_memory(); memory != nullptr && stores_)
      (void)read(*memory, stores_->newest(), failure);
    expected = value_;
    return false;
  }

  detail::ObjectNumber number_;
  T value_{};                          // the newest
  std::unique_ptr<Stores<T>> stores_;  // with weak memory, once there is a second value
};

}  // namespace weir::lockstep
