#include "store/local/process_handle.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weir::local {

Result<ProcessHandle> ProcessHandle::open(pid_t pid) {
  // By number: in glibc 2.36 the header of these calls is not fit for C++.
  FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    return std::unexpected(Error{.code = ErrorCode::not_found,
                                 .kind = "process_gone",
                                 .message = fmt::format("there is no process {}", pid),
                                 .hint = ""});
  }
  return ProcessHandle(pid, std::move(pidfd));
}

bool ProcessHandle::wait(std::chrono::milliseconds patience) const noexcept {
  using namespace std::chrono;
  const auto deadline = steady_clock::now() + patience;
  for (;;) {
    const auto left = ceil<milliseconds>(deadline - steady_clock::now()).count();
    pollfd waiting{.fd = pidfd_.fd(), .events = POLLIN, .revents = 0};
    const int ready =
        poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (ready < 0 && errno == EINTR) continue;
    siginfo_t status;  // of a child of ours, which would stay a zombie; of another there is none
    if (ready > 0) waitid(P_PIDFD, static_cast<id_t>(pidfd_.fd()), &status, WEXITED | WNOHANG);
    return ready > 0;
  }
}

void ProcessHandle::signal(int number) const noexcept {
  syscall(SYS_pidfd_send_signal, pidfd_.fd(), number, nullptr, 0);
}

}  // namespace weir::local
