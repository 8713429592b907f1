#pragma once
#include <chrono>

#include <time.h>

namespace weir::bench {

/// What this thread has run so far: other work on the machine does not count. Cost: a system call.
inline std::chrono::nanoseconds cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Adds up the parts of a loop that count.
class Stopwatch {
 public:
  template <class Work>
  void time(Work&& work) {
    const auto begin = cpu_time();
    work();
    spent_ += cpu_time() - begin;
  }
  /// What several threads or processes do for one another is one time: the clock's.
  template <class Work>
  void time_by_the_clock(Work&& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    spent_ += std::chrono::steady_clock::now() - begin;
  }
  void add(const Stopwatch& other) { spent_ += other.spent_; }
  Stopwatch times(double factor) const {
    Stopwatch longer;
    longer.spent_ = std::chrono::duration_cast<std::chrono::nanoseconds>(spent_ * factor);
    return longer;
  }
  double seconds() const { return std::chrono::duration<double>(spent_).count(); }
  double nanoseconds_each(double count) const {
    return static_cast<double>(spent_.count()) / count;
  }

 private:
  std::chrono::nanoseconds spent_{0};
};

}  // namespace weir::bench
