#include "serve/control_socket.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <fmt/core.h>
#include <sys/socket.h>

#include "base/assert.hpp"
#include "base/sha256.hpp"

namespace weir::control {
namespace {

constexpr std::size_t message_bytes_max = 128;

std::optional<std::string> receive_with(int fd, int flags) {
  std::array<char, message_bytes_max> buffer{};
  for (;;) {
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), flags);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    return std::string(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<std::pair<FileDescriptor, FileDescriptor>> make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return std::unexpected(
        Error{.code = ErrorCode::unavailable,
              .kind = "out_of_descriptors",
              .message = std::string("cannot make a socket: ") + std::strerror(errno),
              .hint = "raise the limit of open files"});
  return std::pair(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

bool send(const FileDescriptor& end, std::string_view message) noexcept {
  WEIR_ASSERT(!message.empty() && message.size() <= message_bytes_max);
  for (;;) {
    if (::send(end.fd(), message.data(), message.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

std::optional<std::string> receive(const FileDescriptor& end) { return receive_with(end.fd(), 0); }

std::optional<std::string> try_receive(const FileDescriptor& end) {
  return receive_with(end.fd(), MSG_DONTWAIT);
}

bool send_crashed(const FileDescriptor& end, std::string_view sha256) noexcept {
  return send(end, fmt::format("{} {}", crashed, sha256));
}

std::optional<std::string> crashed_plugin(std::string_view message) {
  if (!message.starts_with(crashed)) return std::nullopt;
  message.remove_prefix(crashed.size());
  if (!message.starts_with(' ') || !is_sha256(message.substr(1))) return std::nullopt;
  return std::string(message.substr(1));
}

}  // namespace weir::control
