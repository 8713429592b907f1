#include "store/postgres/wakeup_event.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace weir::postgres {

Result<WakeupEvent> WakeupEvent::make() {
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0)
    return std::unexpected(
        Error{.code = ErrorCode::unavailable,
              .kind = "out_of_descriptors",
              .message = std::string("cannot make an eventfd: ") + std::strerror(errno),
              .hint = "raise the limit of open files"});
  return WakeupEvent(FileDescriptor(event));
}

void WakeupEvent::wake() noexcept {
  const std::uint64_t one = 1;
  // It fails only when the counter is full: then the wait ends anyway.
  [[maybe_unused]] const auto written = ::write(event_.fd(), &one, sizeof one);
}

bool WakeupEvent::wait(int socket, std::chrono::milliseconds limit) {
  std::array<pollfd, 2> sources = {{{.fd = event_.fd(), .events = POLLIN, .revents = 0},
                                    {.fd = socket, .events = POLLIN, .revents = 0}}};
  const auto longest = std::chrono::milliseconds::rep{std::numeric_limits<int>::max()};
  ::poll(sources.data(), sources.size(),
         static_cast<int>(std::clamp(limit.count(), std::chrono::milliseconds::rep{0}, longest)));
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = ::read(event_.fd(), &count, sizeof count);
  return sources[1].revents != 0;
}

}  // namespace weir::postgres
