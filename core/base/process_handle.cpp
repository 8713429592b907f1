#include "base/process_handle.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weir {
namespace {

// Reaps a child of this process, which would otherwise stay a zombie; nullopt for other processes.
std::optional<ProcessEnd> reaped(int pidfd) noexcept {
  siginfo_t status{};
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd), &status, WEXITED | WNOHANG) != 0 ||
      status.si_pid == 0)
    return std::nullopt;
  return ProcessEnd{.by_signal = status.si_code != CLD_EXITED, .number = status.si_status};
}

}  // namespace

std::string signal_name(int number) {
  const char* const name = sigabbrev_np(number);
  return name == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", name);
}

std::string to_string(const ProcessEnd& end) {
  if (!end.by_signal) return fmt::format("exit status {}", end.number);
  return fmt::format("signal {} ({})", end.number, signal_name(end.number));
}

Result<ProcessHandle> ProcessHandle::open(pid_t pid) {
  // By number: in glibc 2.36 the header of these calls cannot be used from C++.
  FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    return std::unexpected(Error{.code = ErrorCode::not_found,
                                 .kind = "process_gone",
                                 .message = fmt::format("there is no process {}", pid),
                                 .hint = ""});
  }
  return ProcessHandle(pid, std::move(pidfd));
}

bool ProcessHandle::has_ended(std::chrono::milliseconds patience) const noexcept {
  using namespace std::chrono;
  const auto deadline = steady_clock::now() + patience;
  for (;;) {
    const auto left = ceil<milliseconds>(deadline - steady_clock::now()).count();
    pollfd waiting{.fd = pidfd_.fd(), .events = POLLIN, .revents = 0};
    const int ready =
        poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0;
  }
}

bool ProcessHandle::wait(std::chrono::milliseconds patience) const noexcept {
  const bool ended = has_ended(patience);
  if (ended) reaped(pidfd_.fd());
  return ended;
}

std::optional<ProcessEnd> ProcessHandle::reap(std::chrono::milliseconds patience) const noexcept {
  return has_ended(patience) ? reaped(pidfd_.fd()) : std::nullopt;
}

void ProcessHandle::signal(int number) const noexcept {
  syscall(SYS_pidfd_send_signal, pidfd_.fd(), number, nullptr, 0);
}

}  // namespace weir
