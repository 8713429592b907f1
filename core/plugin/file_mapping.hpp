#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir {

/// A part of this process's memory that a file stands behind.
struct FileMapping {
  std::uintptr_t begin;
  std::uintptr_t end;
  std::string path;  ///< as /proc/self/maps has it; without " (deleted)"
};

/// All of them, by address. What is mapped all the while is among them; nullopt when /proc can't be
/// read.  [any thread]
std::optional<std::vector<FileMapping>> file_mappings();

}  // namespace weir
