#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace weir::testing {

/// All bytes of a file.
inline std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace weir::testing
