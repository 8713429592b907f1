#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>

#include <weir/sync.hpp>

namespace weir::testing {

/// StdSync, but tests can see how many threads sleep on its conditions.
struct WatchedSync : StdSync {
  static inline std::atomic<int> asleep = 0;

  class Condition {
   public:
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }
    template <class Enough>
    void wait(std::unique_lock<std::mutex>& lock, const Enough& enough) {
      const Asleep counted;
      condition_.wait(lock, enough);
    }
    template <class TimePoint, class Enough>
    bool wait_until(std::unique_lock<std::mutex>& lock, TimePoint until, const Enough& enough) {
      const Asleep counted;
      return condition_.wait_until(lock, until, enough);
    }

   private:
    struct Asleep {
      Asleep() { ++asleep; }
      ~Asleep() { --asleep; }
    };
    std::condition_variable condition_;
  };

  /// Returns once exactly `count` threads sleep, or are about to with their mutex held.
  static void wait_for_sleepers(int count) {
    while (asleep != count) yield();
  }
};

}  // namespace weir::testing
