#include "isolated/stop_line.hpp"

#include <cerrno>
#include <cstddef>

#include <sys/socket.h>

#include "isolated/child_reader.hpp"

namespace weir {

void StopLine::stop(std::uint64_t number) {
  {
    const std::lock_guard lock(mutex_);
    const bool waits = !unsent_.empty();
    unsent_.push_back(number);
    if (waits || send_locked()) return;
  }
  if (const auto reader = reader_.lock()) reader->retry(shared_from_this());
}

bool StopLine::send_rest() {
  const std::lock_guard lock(mutex_);
  return send_locked();
}

bool StopLine::send_locked() {
  while (!unsent_.empty()) {
    const ssize_t sent =
        ::send(control_.fd(), reinterpret_cast<const char*>(unsent_.data()) + sent_bytes_,
               unsent_.size() * sizeof unsent_[0] - sent_bytes_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (sent < 0) {  // the child has ended
      unsent_.clear();
      break;
    }
    sent_bytes_ += static_cast<std::size_t>(sent);
    unsent_.erase(unsent_.begin(),
                  unsent_.begin() + static_cast<std::ptrdiff_t>(sent_bytes_ / sizeof unsent_[0]));
    sent_bytes_ %= sizeof unsent_[0];
  }
  return true;
}

}  // namespace weir
