#include "serve/stop_signals.hpp"

#include <algorithm>

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/assert.hpp"

namespace weir {

StopSignals::StopSignals() {
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  WEIR_ASSERT(fd_);
}

int StopSignals::count() noexcept {
  signalfd_siginfo info{};
  while (::read(fd_.fd(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    const int before = count_.fetch_add(1, std::memory_order_relaxed);
    if (before < 2) (before == 0 ? first_ : second_) = std::chrono::steady_clock::now();
  }
  return count_.load(std::memory_order_relaxed);
}

std::optional<Steady> StopSignals::end_by(std::chrono::milliseconds drain,
                                          std::chrono::milliseconds grace) const noexcept {
  if (!first_) return std::nullopt;
  const Steady after_first = *first_ + drain + grace;
  return second_ ? std::min(after_first, *second_ + grace) : after_first;
}

}  // namespace weir
