#pragma once
#include <cstdint>
#include <string_view>

namespace weir {

/// Whether a large library may have a note of this name and type: reads its headers and note
/// segments alone. Of files that are small, or no such libraries, it is true: who reads all of them
/// says what they are.  [any thread]
bool may_have_note(int fd, std::string_view name, std::uint32_t type);

}  // namespace weir
