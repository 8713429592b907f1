#include "plugin/elf_image.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include <elf.h>
#include <fmt/core.h>

#include "base/in_quotes.hpp"
#include "plugin/elf_notes.hpp"

namespace weir {
namespace {

static_assert(sizeof(void*) == 8 && std::endian::native == std::endian::little,
              "plugins are read as 64-bit little-endian ELF");

#if defined(__x86_64__)
constexpr unsigned host_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned host_machine = EM_AARCH64;
#elif defined(__riscv)
constexpr unsigned host_machine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr unsigned host_machine = EM_PPC64;
#else
#error "add the e_machine of this processor's libraries"
#endif

constexpr std::string_view copy_hint =
    "build it again or copy it again: under a name ending in .tmp, then rename it";

std::string machine(unsigned number) {
  switch (number) {
    case EM_386:
      return "x86 (32 bits)";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "ARM (32 bits)";
    case EM_AARCH64:
      return "AArch64";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "PowerPC64";
    default:
      return fmt::format("machine {}", number);
  }
}

std::unexpected<PluginError> refuse(PluginFault kind, std::string detail,
                                    std::string_view hint = copy_hint) {
  return refusal(PluginStage::verify, kind, std::move(detail), hint);
}

std::unexpected<PluginError> not_shared(std::string detail) {
  return refuse(PluginFault::not_shared, std::move(detail),
                "link it as a shared library: with g++ -shared, or weir_add_plugin()");
}

std::expected<Elf64_Ehdr, PluginError> read_header(std::string_view bytes) {
  if (bytes.empty()) return refuse(PluginFault::truncated, "the file is empty");
  if (!bytes.starts_with(std::string_view(ELFMAG, SELFMAG)))
    return refuse(PluginFault::not_elf,
                  fmt::format("not a library: it begins with {}", in_quotes(bytes.substr(0, 16))),
                  "put only shared libraries into the folder under names that end in .so");
  const auto header = read_at<Elf64_Ehdr>(bytes, 0);
  if (!header)
    return refuse(PluginFault::truncated,
                  fmt::format("the file ends after {} bytes, inside the ELF header", bytes.size()));
  if (header->e_ident[EI_CLASS] != ELFCLASS64)
    return refuse(PluginFault::wrong_class, "a 32-bit library; this host runs 64-bit code",
                  "build it for this host");
  if (header->e_ident[EI_DATA] != ELFDATA2LSB)
    return refuse(PluginFault::wrong_class, "a big-endian library; this host is little-endian",
                  "build it for this host");
  if (header->e_machine != host_machine)
    return refuse(PluginFault::wrong_machine,
                  fmt::format("built for {}; this host is {}", machine(header->e_machine),
                              machine(host_machine)),
                  "build it for this host");
  switch (header->e_type) {
    case ET_DYN:
      return *header;
    case ET_REL:
      return not_shared("an object file, not yet linked");
    case ET_EXEC:
      return not_shared("a program, not a library");
    case ET_CORE:
      return not_shared("a core dump, not a library");
    default:
      return refuse(PluginFault::damaged,
                    fmt::format("an ELF file of unknown type {}", header->e_type));
  }
}

std::expected<std::vector<Elf64_Phdr>, PluginError> read_program_headers(std::string_view bytes,
                                                                         const Elf64_Ehdr& header) {
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum == PN_XNUM)
    return refuse(PluginFault::damaged,
                  fmt::format("its program header table is impossible: {} of {} bytes",
                              header.e_phnum, header.e_phentsize));
  std::vector<Elf64_Phdr> headers;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    if (header.e_phoff > bytes.size()) break;
    const auto one = read_at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!one) break;
    headers.push_back(*one);
  }
  if (headers.size() < header.e_phnum)
    return refuse(
        PluginFault::truncated,
        fmt::format("the file ends after {} bytes, before its program headers do", bytes.size()));
  return headers;
}

bool inside(std::string_view bytes, const Elf64_Phdr& part) {
  return part.p_offset <= bytes.size() && part.p_filesz <= bytes.size() - part.p_offset;
}

// The loader reserves memory from the first to the last segment and maps each at a fixed place:
// segments out of order would overwrite other memory. Truncated ones would cause a SIGBUS.
std::expected<ElfImage::Segment, PluginError> read_segment(std::string_view bytes,
                                                           const Elf64_Phdr& part,
                                                           std::uint64_t lowest) {
  if (!inside(bytes, part))
    return refuse(
        PluginFault::truncated,
        fmt::format("the file ends after {} bytes, but a segment of {} bytes begins at {}",
                    bytes.size(), part.p_filesz, part.p_offset));
  constexpr std::uint64_t addresses_max = std::uint64_t{1} << 47U;  // what a user process can map
  const bool placed = part.p_filesz <= part.p_memsz && part.p_vaddr >= lowest &&
                      part.p_vaddr < addresses_max && part.p_memsz < addresses_max;
  const bool aligned = part.p_align <= 1 || (std::has_single_bit(part.p_align) &&
                                             (part.p_vaddr - part.p_offset) % part.p_align == 0);
  if (!placed || !aligned)
    return refuse(PluginFault::damaged,
                  fmt::format("a segment of it has an impossible place: {} bytes at address {:#x}",
                              part.p_memsz, part.p_vaddr));
  return ElfImage::Segment{part.p_vaddr, part.p_memsz, bytes.substr(part.p_offset, part.p_filesz)};
}

// The parts of the file that are notes, each byte of it once, however many headers name it. One that is not in the
// file is none: the loader does not need it.
std::vector<std::string_view> note_segments(std::string_view bytes,
                                            const std::vector<Elf64_Phdr>& parts) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const Elf64_Phdr& part : parts)
    if (part.p_type == PT_NOTE && inside(bytes, part))
      ranges.emplace_back(part.p_offset, part.p_offset + part.p_filesz);
  std::ranges::sort(ranges);
  std::vector<std::string_view> segments;
  for (std::size_t i = 0; i < ranges.size();) {
    auto [begin, end] = ranges[i];
    for (++i; i < ranges.size() && ranges[i].first < end; ++i)
      end = std::max(end, ranges[i].second);
    segments.push_back(bytes.substr(begin, end - begin));
  }
  return segments;
}

}  // namespace

std::expected<ElfImage, PluginError> ElfImage::parse(std::string_view bytes) {
  const auto header = read_header(bytes);
  if (!header) return std::unexpected(header.error());
  const auto parts = read_program_headers(bytes, *header);
  if (!parts) return std::unexpected(parts.error());

  ElfImage image;
  std::uint64_t lowest = 0;
  for (const Elf64_Phdr& part : *parts) {
    if (part.p_type == PT_GNU_STACK) image.executable_stack_ = (part.p_flags & PF_X) != 0;
    if (part.p_type == PT_LOAD) {
      const auto segment = read_segment(bytes, part, lowest);
      if (!segment) return std::unexpected(segment.error());
      lowest = segment->address + segment->memory_size;
      image.segments_.push_back(*segment);
    }
  }
  image.notes_ = note_segments(bytes, *parts);
  // Of several the loader takes the last one.
  const auto last = [&](std::uint32_t type) -> const Elf64_Phdr* {
    const auto found = std::ranges::find(parts->rbegin(), parts->rend(), type, &Elf64_Phdr::p_type);
    return found == parts->rend() ? nullptr : &*found;
  };
  if (const Elf64_Phdr* const part = last(PT_PHDR)) {
    // The loader goes through the headers where this one says that they are in memory.
    const std::string_view there = image.from(part->p_vaddr);
    if (there.data() != bytes.data() + header->e_phoff ||
        there.size() < parts->size() * sizeof(Elf64_Phdr))
      return refuse(PluginFault::damaged, "its program headers are not in memory where it says");
  }
  if (const Elf64_Phdr* const part = last(PT_DYNAMIC)) {
    const std::string_view there = image.from(part->p_vaddr);
    if (there.size() >= part->p_filesz) image.dynamic_ = there.substr(0, part->p_filesz);
  }
  if (image.dynamic_.empty())
    return refuse(PluginFault::damaged, "it has no dynamic section where one belongs");
  return image;
}

std::vector<std::string_view> ElfImage::notes(std::string_view name, std::uint32_t type) const {
  std::vector<std::string_view> found;
  for (const std::string_view segment : notes_)
    for (const std::string_view note : elf_notes(segment, name, type)) found.push_back(note);
  return found;
}

std::string_view ElfImage::from(std::uint64_t address) const noexcept {
  for (const Segment& segment : segments_)
    if (address >= segment.address && address - segment.address < segment.bytes.size())
      return segment.bytes.substr(address - segment.address);
  return {};
}

}  // namespace weir
