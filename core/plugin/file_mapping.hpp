#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir {

/// A part of this process's memory that is mapped from a file.
struct FileMapping {
  std::uintptr_t begin;
  std::uintptr_t end;
  std::string path;  ///< as /proc/self/maps has it; without " (deleted)"
};

/// All mappings of files, by address. One that exists during the whole call is among them; nullopt
/// when /proc can't be read.  [any thread]
std::optional<std::vector<FileMapping>> file_mappings();

}  // namespace weir
