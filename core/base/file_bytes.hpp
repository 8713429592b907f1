#pragma once
#include <filesystem>
#include <string>

namespace weir {

/// The content of a file as it is just now, read in large blocks; as far as it could be read, so
/// empty when there is none.  [any thread]
std::string file_bytes(const std::filesystem::path& file);

}  // namespace weir
