#include "store/local/process_handle.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <fmt/core.h>
#include <poll.h>
#include <sys/pidfd.h>

namespace weir::local {

Result<ProcessHandle> ProcessHandle::open(pid_t pid) {
  FileDescriptor pidfd(pidfd_open(pid, 0));
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
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

void ProcessHandle::signal(int number) const noexcept {
  pidfd_send_signal(pidfd_.fd(), number, nullptr, 0);
}

}  // namespace weir::local
