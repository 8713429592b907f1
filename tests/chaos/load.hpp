#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "base/json.hpp"

namespace weir::testing {

/// The number in an environment variable, or `otherwise`: how long rounds are.
std::uint64_t setting(const char* name, std::uint64_t otherwise);

/// Starts a run of a flow again and again, on a thread with a session of its own, until it goes.
class Load {
 public:
  Load(std::string flow, Json input, std::chrono::milliseconds pause);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { stop(); }

  /// Starts no more; returns how many runs were started.
  std::uint64_t stop();

 private:
  std::atomic<bool> stopping_ =
      false;  // set by stop(), read by the thread: relaxed, no data with it
  std::atomic<std::uint64_t> started_ = 0;  // by the thread; read after it was joined
  std::thread thread_;
};

}  // namespace weir::testing
