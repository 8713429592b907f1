#include "base/file_bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"

namespace weir {

std::string file_bytes(const std::filesystem::path& file, std::size_t bytes_max) {
  constexpr std::size_t block = 64 * 1024;  // where the size is not known, as below /proc
  std::string bytes;
  const FileDescriptor descriptor(
      ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status{};
  if (!descriptor || ::fstat(descriptor.fd(), &status) != 0 || !S_ISREG(status.st_mode))
    return bytes;
  std::size_t size = 0;
  while (size < bytes_max) {
    if (size == bytes.size())
      bytes.resize(std::max(size + block, static_cast<std::size_t>(status.st_size) + 1));
    const ssize_t count = ::read(descriptor.fd(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(std::min(size, bytes_max));
  return bytes;
}

}  // namespace weir
