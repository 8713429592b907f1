#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include <elf.h>

namespace weir::testing {

/// The size of the part of a library file that is loaded into memory; the rest may be cut off.
inline std::size_t loaded_size(const std::string& bytes) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::size_t end = 0;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    std::memcpy(&part, bytes.data() + header.e_phoff + i * sizeof part, sizeof part);
    if (part.p_type == PT_LOAD) end = std::max(end, part.p_offset + part.p_filesz);
  }
  return end;
}

}  // namespace weir::testing
