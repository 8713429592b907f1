/// What a concurrent class uses of the machine, as a policy: `template <class Sync = StdSync>`. A
/// class that uses nothing else to wait, to share and to read the time can be run under every
/// interleaving by lockstep (weir/testing/lockstep.hpp), whose policy has the same members.
///
/// Threads: every member may be used from any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <queue>
#include <random>
#include <semaphore>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <cxxabi.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weir {

namespace sync {

/// Small numbers for living threads: dense, unique among them, reused once a thread has ended.
class ThreadNumbers {
 public:
  std::size_t acquire() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) return next_++;
    const std::size_t number = free_.top();
    free_.pop();
    return number;
  }
  void release(std::size_t number) {
    const std::scoped_lock lock(mutex_);
    free_.push(number);
  }

  static ThreadNumbers& of_this_process() {
    static auto* const numbers = new ThreadNumbers;  // outlives the last thread
    return *numbers;
  }

 private:
  std::mutex mutex_;  // also orders the last holder of a number before the next
  std::size_t next_ = 0;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free_;
};

inline constexpr std::size_t no_thread_number = std::numeric_limits<std::size_t>::max();
inline constinit thread_local std::size_t thread_number = no_thread_number;

/// An address in the program or library that this is compiled into.
[[gnu::visibility("hidden")]] inline char in_this_image = 0;

/// Until the end of the thread. A thread that ends may ask again, from the destructor of a
/// thread_local that outlives the first number's: then the new one is released after that
/// destructor. A thread_local could not do this, as it is never made again in a thread that ends.
[[gnu::noinline]] inline std::size_t acquire_thread_number() {
  thread_number = ThreadNumbers::of_this_process().acquire();
  const auto release = [](void*) {
    ThreadNumbers::of_this_process().release(thread_number);
    thread_number = no_thread_number;
  };
  ::abi::__cxa_thread_atexit(release, nullptr, &in_this_image);
  return thread_number;
}

/// Whether this process can make every core pass a fence (Linux 4.14 and later).
inline const bool has_membarrier =
    ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;

}  // namespace sync

/// The machine itself.
struct StdSync {
  using Mutex = std::mutex;
  using SharedMutex = std::shared_mutex;
  using Condition = std::condition_variable;
  template <std::ptrdiff_t most = std::counting_semaphore<>::max()>
  using Semaphore = std::counting_semaphore<most>;
  template <class T>
  using Atomic = std::atomic<T>;
  using Thread = std::thread;  ///< join it: one that is destroyed while joinable ends the program
  using Clock = std::chrono::steady_clock;

  /// 64 random bits, for distributing load; not for secrets.
  static std::uint64_t random() {
    thread_local std::mt19937_64 generator{std::random_device{}()};
    return generator();
  }

  static constexpr std::size_t thread_slots = 64;  ///< threads that a class makes room for at once

  /// A small number that no other living thread has.
  static std::size_t thread_index() {
    const std::size_t number = sync::thread_number;
    if (number == sync::no_thread_number) [[unlikely]]
      return sync::acquire_thread_number();
    return number;
  }

  /// As std::atomic_thread_fence.
  static void fence(std::memory_order order) noexcept {
#ifdef __SANITIZE_THREAD__  // which sees no fences; g++ warns of the other form
    static_cast<void>(order);
    __sync_synchronize();
#else
    std::atomic_thread_fence(order);
#endif
  }

  /// The cheap half of an asymmetric fence: with heavy_fence() on the other side it orders this
  /// thread's earlier stores before its later loads. Costs nothing where the kernel has membarrier.
  static void light_fence() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!sync::has_membarrier) [[unlikely]]
      __sync_synchronize();
  }

  /// The expensive half: as if every running thread of the process passed a fence. Microseconds.
  static void heavy_fence() noexcept {
    if (sync::has_membarrier)
      ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    else
      __sync_synchronize();
  }

  static void yield() noexcept { std::this_thread::yield(); }
  static void sleep_until(Clock::time_point deadline) { std::this_thread::sleep_until(deadline); }
};

}  // namespace weir
