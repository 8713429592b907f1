#include "serve/stop_signals.hpp"

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
  while (::read(fd_.fd(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    count_.fetch_add(1, std::memory_order_relaxed);
  return count_.load(std::memory_order_relaxed);
}

}  // namespace weir
