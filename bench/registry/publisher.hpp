#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

#include "flows.hpp"

namespace weir::bench {

/// A thread that replaces one flow after the other in a registry, `per_second` times as long as it
/// lives. One that is late catches up.
class Publisher {
 public:
  Publisher(FlowRegistry& registry, const Flows& flows, std::size_t per_second)
      : thread_([this, &registry, &flows, per_second] { publish(registry, flows, per_second); }) {}
  ~Publisher() {
    stop_.store(true, std::memory_order_relaxed);
    thread_.join();
  }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

 private:
  void publish(FlowRegistry& registry, const Flows& flows, std::size_t per_second) {
    const auto pause = std::chrono::nanoseconds(std::chrono::seconds(1)) / per_second;
    auto next = std::chrono::steady_clock::now();
    for (std::size_t build = 1; !stop_.load(std::memory_order_relaxed); ++build) {
      registry.register_or_throw(flows.rebuilt(build * 7'919, build));
      next += pause;
      std::this_thread::sleep_until(next);
    }
  }

  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace weir::bench
