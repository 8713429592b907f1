#pragma once
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>

namespace weir {

/// The content of a regular file as it is just now, read in large blocks; as far as it could be read
/// and at most `bytes_max`, so empty when there is none.  [any thread]
std::string file_bytes(const std::filesystem::path& file,
                       std::size_t bytes_max = std::numeric_limits<std::size_t>::max());

}  // namespace weir
