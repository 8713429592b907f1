#include "plugin/code_symbols.hpp"

#include <cstdlib>
#include <memory>

#include <cxxabi.h>
#include <elf.h>
#include <fmt/core.h>

#include "plugin/elf_image.hpp"

namespace weir {
namespace {

// Of a name that is longer, the rest is not shown: a symbol table may name whatever its file has.
constexpr std::size_t name_bytes_max = 4096;

// What is shown of a name, which is written out far longer than it is in the table.
constexpr std::size_t shown_bytes_max = 512;

// A name that refers to its own parts more often stays as it is: each two such references can double what it
// is written out as, so that a few hundred bytes would be gigabytes.
constexpr std::size_t references_max = 32;

// The address at which the byte at `offset` is mapped, relative to the start of the library.
std::optional<std::uint64_t> address_of(std::string_view bytes, const Elf64_Ehdr& header,
                                        std::uint64_t offset) {
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto part = read_at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (part && part->p_type == PT_LOAD && offset >= part->p_offset &&
        offset - part->p_offset < part->p_filesz)
      return part->p_vaddr + (offset - part->p_offset);
  }
  return std::nullopt;
}

std::string_view part_of(std::string_view bytes, const Elf64_Shdr& section) {
  if (section.sh_offset > bytes.size() || section.sh_size > bytes.size() - section.sh_offset)
    return {};
  return bytes.substr(section.sh_offset, section.sh_size);
}

// How often a mangled name refers to parts of itself: S_, S1_, T_, T0_ …
std::size_t references(std::string_view name) {
  std::size_t count = 0;
  for (std::size_t at = name.find_first_of("ST"), end = 0; at != std::string_view::npos;
       at = name.find_first_of("ST", end)) {
    end = name.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", at + 1);
    if (end != std::string_view::npos && name[end] == '_') ++count;
  }
  return count;
}

std::string demangled(std::string name) {
  if (references(name) <= references_max) {
    int failed = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &failed), &std::free);
    if (failed == 0 && text) name = text.get();
  }
  if (name.size() > shown_bytes_max) name.replace(shown_bytes_max, std::string::npos, "…");
  return name;
}

std::optional<CodePlace> look_up(std::string_view symbols, std::string_view names,
                                 std::uint64_t address) {
  std::optional<Elf64_Sym> best;
  for (std::uint64_t at = 0; at < symbols.size(); at += sizeof(Elf64_Sym)) {
    const auto symbol = read_at<Elf64_Sym>(symbols, at);
    if (!symbol) break;
    if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
        address >= symbol->st_value && address - symbol->st_value < symbol->st_size)
      best = symbol;
  }
  if (!best || best->st_name >= names.size()) return std::nullopt;
  const std::string_view name = names.substr(best->st_name, name_bytes_max);
  return CodePlace{.function = demangled(std::string(name.substr(0, name.find('\0')))),
                   .offset = address - best->st_value};
}

}  // namespace

std::string to_string(const CodePlace& place) {
  return fmt::format("{}+{:#x}", place.function, place.offset);
}

std::optional<CodePlace> code_place(std::string_view bytes, std::uint64_t offset) {
  const auto header = read_at<Elf64_Ehdr>(bytes, 0);
  if (!header || header->e_phentsize != sizeof(Elf64_Phdr) ||
      header->e_shentsize != sizeof(Elf64_Shdr))
    return std::nullopt;
  const auto address = address_of(bytes, *header, offset);
  if (!address) return std::nullopt;
  const auto section = [&](std::uint64_t i) {
    return read_at<Elf64_Shdr>(bytes, header->e_shoff + i * sizeof(Elf64_Shdr));
  };
  // A library has one of each kind. Were all sections searched, a damaged one could claim thousands.
  const auto first_of = [&](std::uint32_t type) -> std::optional<Elf64_Shdr> {
    for (std::uint64_t i = 0; i < header->e_shnum; ++i)
      if (const auto found = section(i); found && found->sh_type == type) return found;
    return std::nullopt;
  };
  for (const std::uint32_t type : {std::uint32_t{SHT_SYMTAB}, std::uint32_t{SHT_DYNSYM}}) {
    const auto symbols = first_of(type);
    const auto names = symbols ? section(symbols->sh_link) : std::nullopt;
    if (!names) continue;
    if (auto found = look_up(part_of(bytes, *symbols), part_of(bytes, *names), *address))
      return found;
  }
  return std::nullopt;
}

}  // namespace weir
