#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir {

/// The contents of the notes of this name and type in the bytes of a note segment (PT_NOTE), whose
/// content follows the name at a multiple of 4. They are recognized by their headers, and not by
/// walking from note to note: a linker puts notes of different alignment into one segment, and what
/// others wrote into theirs is no concern of ours.  [any thread]
std::vector<std::string_view> elf_notes(std::string_view segment, std::string_view name,
                                        std::uint32_t type);

}  // namespace weir
