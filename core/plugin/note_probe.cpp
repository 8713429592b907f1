#include "plugin/note_probe.hpp"

#include <cstddef>
#include <optional>
#include <string>

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/elf_image.hpp"
#include "plugin/elf_notes.hpp"

namespace weir {
namespace {

constexpr off_t large_bytes = 4 * 1024 * 1024;      // smaller ones are read in a few milliseconds
constexpr std::size_t headers_max = 4 * 1024;       // of a library with 70 segments
constexpr std::size_t notes_bytes_max = 64 * 1024;  // of one segment

std::optional<std::string> bytes_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  const ssize_t count = ::pread(fd, bytes.data(), size, static_cast<off_t>(offset));
  if (count < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

}  // namespace

bool may_have_note(int fd, std::string_view name, std::uint32_t type) {
  struct stat status{};
  if (::fstat(fd, &status) != 0 || status.st_size < large_bytes) return true;
  const auto begin = bytes_at(fd, 0, headers_max);
  const auto header = begin ? read_at<Elf64_Ehdr>(*begin, 0) : std::nullopt;
  if (!header || !begin->starts_with(std::string_view(ELFMAG, SELFMAG)) ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_type != ET_DYN ||
      header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0)
    return true;
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    const std::uint64_t offset = header->e_phoff + i * sizeof(Elf64_Phdr);
    const auto part = offset < headers_max ? read_at<Elf64_Phdr>(*begin, offset) : std::nullopt;
    if (!part) return true;
    if (part->p_type != PT_NOTE) continue;
    if (part->p_filesz > notes_bytes_max) return true;
    const auto notes = bytes_at(fd, part->p_offset, part->p_filesz);
    if (!notes || !elf_notes(*notes, name, type).empty()) return true;
  }
  return false;
}

}  // namespace weir
