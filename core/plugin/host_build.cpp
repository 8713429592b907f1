#include "plugin/host_build.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <elf.h>
#include <fmt/core.h>
#include <link.h>
#include <sys/stat.h>

#include <weir/abi/plugin.h>

#include "plugin/elf_notes.hpp"

namespace weir {
namespace {

int first_object(dl_phdr_info* program, std::size_t, void* into) {
  for (const ElfW(Phdr) & part : std::span(program->dlpi_phdr, program->dlpi_phnum)) {
    if (part.p_type != PT_NOTE) continue;
    const auto* const notes = reinterpret_cast<const char*>(program->dlpi_addr + part.p_vaddr);
    for (const std::string_view id :
         elf_notes({notes, part.p_memsz}, ELF_NOTE_GNU, NT_GNU_BUILD_ID))
      for (const char byte : id)
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
