#include "cli/stop_signals.hpp"

#include <utility>

#include <pthread.h>

namespace weir::cli {

sigset_t block_stop_signals() {
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

StopSignals::StopSignals(const sigset_t& blocked, std::function<void(int)> stop)
    : thread_([this, blocked, stop = std::move(stop)] {
        for (int count = 1;; ++count) {
          int signal = 0;
          if (sigwait(&blocked, &signal) != 0 || done_.load()) return;
          stop(count);
        }
      }) {}

StopSignals::~StopSignals() {
  done_.store(true);
  // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread): it is blocked there, and only ends a
  // sigwait
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

}  // namespace weir::cli
