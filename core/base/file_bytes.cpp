#include "base/file_bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"

namespace weir {

std::string file_bytes(const std::filesystem::path& file, std::size_t bytes_max) {
  constexpr std::size_t block = 64 * 1024;  // where the size is not known, as below /proc
  std::string bytes;
  struct stat status{};
  const auto usable = [&] {
    return S_ISREG(status.st_mode) && static_cast<std::uintmax_t>(status.st_size) <= bytes_max;
  };
  // Looked at before it is opened: opening a device may do something.
  if (::stat(file.c_str(), &status) != 0 || !usable()) return bytes;
  const FileDescriptor descriptor(
      ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!descriptor || ::fstat(descriptor.fd(), &status) != 0 || !usable()) return bytes;
  std::size_t size = 0;
  while (size <= bytes_max) {
    if (size == bytes.size())
      bytes.resize(std::max(size + block, static_cast<std::size_t>(status.st_size) + 1));
    const ssize_t count = ::read(descriptor.fd(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size <= bytes_max ? size : 0);
  return bytes;
}

}  // namespace weir
