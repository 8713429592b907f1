#include "plugin/elf_notes.hpp"

#include <elf.h>

#include "plugin/elf_image.hpp"

namespace weir {

std::vector<std::string_view> elf_notes(std::string_view segment, std::string_view name,
                                        std::uint32_t type) {
  constexpr std::uint64_t alignment = 4;
  const auto aligned = [](std::uint64_t offset) {
    return (offset + alignment - 1) / alignment * alignment;
  };
  std::vector<std::string_view> found;
  for (std::uint64_t at = 0; const auto note = read_at<Elf64_Nhdr>(segment, at);) {
    const std::string_view rest = segment.substr(at + sizeof *note);
    const std::uint64_t content = aligned(name.size() + 1);
    const bool wanted = note->n_type == type && note->n_namesz == name.size() + 1 &&
                        rest.starts_with(name) && rest.size() >= content &&
                        rest[name.size()] == '\0' && note->n_descsz <= rest.size() - content;
    if (wanted) found.push_back(rest.substr(content, note->n_descsz));
    at += wanted ? sizeof *note + aligned(content + note->n_descsz) : alignment;
  }
  return found;
}

}  // namespace weir
