#include "plugin/host_build.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <elf.h>
#include <fmt/core.h>
#include <link.h>
#include <sys/stat.h>

#include <weir/abi/plugin.h>

namespace weir {
namespace {

// The build-id note's content among `notes`; "" when there is none.
std::string_view build_id_in(std::string_view notes) {
  constexpr std::size_t alignment = 4;
  const auto aligned = [](std::size_t size) {
    return (size + alignment - 1) / alignment * alignment;
  };
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data(), sizeof note);
    notes.remove_prefix(sizeof note);
    const std::size_t name = aligned(note.n_namesz), text = aligned(note.n_descsz);
    if (name > notes.size() || note.n_descsz > notes.size() - name) break;
    if (note.n_type == NT_GNU_BUILD_ID &&
        notes.substr(0, note.n_namesz) == std::string_view(ELF_NOTE_GNU, sizeof ELF_NOTE_GNU))
      return notes.substr(name, note.n_descsz);
    if (text > notes.size() - name) break;
    notes.remove_prefix(name + text);
  }
  return {};
}

int first_object(dl_phdr_info* program, std::size_t, void* into) {
  for (const ElfW(Phdr) & part : std::span(program->dlpi_phdr, program->dlpi_phnum)) {
    if (part.p_type != PT_NOTE) continue;
    const auto* const notes = reinterpret_cast<const char*>(program->dlpi_addr + part.p_vaddr);
    for (const char byte : build_id_in({notes, part.p_memsz}))
      *static_cast<std::string*>(into) += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return 1;  // stops: the first object is the program itself
}

// Identifies programs that are linked without a build-id.
std::string file_of_program() {
  struct stat file{};
  if (::stat("/proc/self/exe", &file) != 0) return "unknown";
  return fmt::format("{}-{}-{}", file.st_ino, file.st_size, file.st_mtim.tv_sec);
}

std::string made() {
  std::string id;
  ::dl_iterate_phdr(first_object, &id);
  return fmt::format("{}/{}.{}", id.empty() ? file_of_program() : id, WEIR_ABI_MAJOR,
                     WEIR_ABI_MINOR);
}

}  // namespace

const std::string& host_build() {
  static const std::string build = made();
  return build;
}

}  // namespace weir
