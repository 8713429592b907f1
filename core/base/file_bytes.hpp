#pragma once
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>

namespace weir {

/// The content of a regular file as it is just now, as far as it could be read; empty when there is
/// none, and when it has more than `bytes_max` bytes. Never waits for another program, as opening a
/// FIFO or a device would.  [any thread]
std::string file_bytes(const std::filesystem::path& file,
                       std::size_t bytes_max = std::numeric_limits<std::size_t>::max());

}  // namespace weir
