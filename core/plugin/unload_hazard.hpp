#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "plugin/elf_dynamic.hpp"

namespace weir {

/// A property of a library because of which its code may stay mapped after the last hold on it was
/// released.
struct UnloadHazard {
  std::string_view kind;  ///< "nodelete", "gnu_unique", "thread_locals"
  std::string detail;     ///< "it is linked with -z nodelete"
  std::string_view hint;  ///< what to do about it
};

/// All hazards that the file shows.  [any thread]
std::vector<UnloadHazard> unload_hazards(const ElfDynamic& library);

/// The hazards of a library with these bytes; none when they can't be read as a library.
std::vector<UnloadHazard> unload_hazards(std::string_view bytes);

}  // namespace weir
