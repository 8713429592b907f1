#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "plugin/elf_dynamic.hpp"

namespace weir {

/// Something about a library because of which its code may stay mapped after everybody let go of
/// it.
struct UnloadHazard {
  std::string_view kind;  ///< "nodelete", "gnu_unique", "thread_locals"
  std::string detail;     ///< "it is linked with -z nodelete"
  std::string_view hint;  ///< what to do about it
};

/// All that can be known from the file.  [any thread]
std::vector<UnloadHazard> unload_hazards(const ElfDynamic& library);

/// Likewise, of a file's bytes; none where they can't be read as a library.
std::vector<UnloadHazard> unload_hazards(std::string_view bytes);

}  // namespace weir
