#pragma once
#include <atomic>
#include <functional>
#include <thread>

#include <signal.h>

namespace weir::cli {

/// Keeps SIGTERM and SIGINT from this thread and every thread that begins after, until the process
/// ends: for StopSignals to wait for. Call it before the first other thread.
sigset_t block_stop_signals();

/// Calls `stop(1)` at the first stop signal, `stop(2)` at the second, and so on, from a thread of
/// its own.
class StopSignals {
 public:
  StopSignals(const sigset_t& blocked, std::function<void(int count)> stop);
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

 private:
  std::atomic<bool> done_ =
      false;  // set before the signal that the destructor sends to wake the thread
  std::thread thread_;
};

}  // namespace weir::cli
