// What a file claims of itself costs no more than reading it: whoever reads it also serves the others.
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <elf.h>

#include "plugin/code_symbols.hpp"
#include "plugin/elf_dynamic.hpp"
#include "plugin/elf_image.hpp"
#include "plugin/inspection.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

template <class T>
std::string_view raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

Elf64_Phdr program_header(Elf64_Word type, Elf64_Addr address, std::uint64_t size) {
  Elf64_Phdr part{};
  part.p_type = type;
  part.p_offset = part.p_vaddr = address;
  part.p_filesz = part.p_memsz = size;
  return part;
}

Elf64_Ehdr library_header(std::uint64_t program_headers) {
  Elf64_Ehdr header{};
  for (std::size_t i = 0; i < SELFMAG; ++i)
    header.e_ident[i] = static_cast<unsigned char>(ELFMAG[i]);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
#if defined(__aarch64__)
  header.e_machine = EM_AARCH64;
#else
  header.e_machine = EM_X86_64;
#endif
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<Elf64_Half>(program_headers);
  return header;
}

// A library: its header, the program headers `before`, one segment with all of it, its dynamic section, a string table
// that has one name, and a symbol table that uses this name `symbols` times.
std::string library_of(std::string_view name, std::uint32_t symbols,
                       std::vector<Elf64_Phdr> before = {}) {
  constexpr std::size_t entries = 5;
  const std::uint64_t header_count = before.size() + 2;
  const std::uint64_t dynamic = sizeof(Elf64_Ehdr) + header_count * sizeof(Elf64_Phdr);
  const std::uint64_t hash = dynamic + entries * sizeof(Elf64_Dyn);
  const std::uint64_t symbol_table = hash + 2 * sizeof(std::uint32_t);
  const std::uint64_t strings = symbol_table + (symbols + 1) * sizeof(Elf64_Sym);
  const std::uint64_t end = strings + name.size() + 2;

  std::string bytes(raw(library_header(header_count)));
  before.insert(before.begin(), program_header(PT_LOAD, 0, end));
  before.push_back(program_header(PT_DYNAMIC, dynamic, entries * sizeof(Elf64_Dyn)));
  for (const Elf64_Phdr& part : before) bytes += raw(part);
  for (const auto& [tag, value] :
       std::vector<std::pair<Elf64_Sxword, std::uint64_t>>{{DT_HASH, hash},
                                                           {DT_SYMTAB, symbol_table},
                                                           {DT_STRTAB, strings},
                                                           {DT_STRSZ, name.size() + 2},
                                                           {DT_NULL, 0}})
    bytes += raw(Elf64_Dyn{.d_tag = tag, .d_un = {.d_val = value}});
  for (const std::uint32_t number : {std::uint32_t{1}, symbols + 1}) bytes += raw(number);
  bytes += raw(Elf64_Sym{});
  Elf64_Sym symbol{};
  symbol.st_name = 1;
  symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbol.st_shndx = 1;
  for (std::uint32_t i = 0; i < symbols; ++i) bytes += raw(symbol);
  bytes += '\0' + std::string(name) + '\0';
  return bytes;
}

// What is at the first byte of a library's only function.
std::optional<CodePlace> place_in_function(const std::string& name) {
  Elf64_Ehdr header = library_header(1);
  const std::uint64_t names = sizeof header + sizeof(Elf64_Phdr);
  const std::uint64_t symbols = names + name.size() + 1;
  header.e_shoff = symbols + sizeof(Elf64_Sym);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 2;
  Elf64_Sym symbol{};
  symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbol.st_shndx = 1;
  symbol.st_size = 16;
  Elf64_Shdr name_table{}, symbol_table{};
  name_table.sh_type = SHT_STRTAB;
  name_table.sh_offset = names;
  name_table.sh_size = name.size() + 1;
  symbol_table.sh_type = SHT_SYMTAB;
  symbol_table.sh_offset = symbols;
  symbol_table.sh_size = sizeof symbol;
  std::string bytes(raw(header));
  bytes += raw(program_header(PT_LOAD, 0, header.e_shoff));
  bytes += name + '\0';
  for (const std::string_view part : {raw(symbol), raw(name_table), raw(symbol_table)})
    bytes += part;
  return code_place(bytes, 0);
}

}  // namespace

TEST_SUITE("plugin: what reading costs") {
  TEST_CASE("symbols that share one long name are read until that is no sound library") {
    const auto read = [](const std::string& bytes) {
      const auto image = ElfImage::parse(bytes);
      REQUIRE(image);
      const auto dynamic = ElfDynamic::parse(*image);
      return dynamic ? std::to_string(dynamic->symbols.size()) : dynamic.error().detail;
    };
    CHECK(read(library_of("weir", 1'000)) == "1000");
    const std::string name(60'000, 'n');
    CHECK(read(library_of(name, 8)) == "8");
    CHECK(read(library_of(name, 1'000)) ==
          "its symbol table is not inside the file, or repeats its names endlessly");
  }

  TEST_CASE("a table of thousands of segments and dynamic sections is gone through once") {
    std::vector<Elf64_Phdr> many;
    constexpr std::uint64_t beyond = std::uint64_t{1} << 32U;
    for (std::uint64_t i = 0; i < 32'000; ++i) {
      Elf64_Phdr part = program_header(PT_LOAD, 0, 0);
      part.p_vaddr = beyond + i;
      part.p_memsz = 1;
      many.push_back(part);
    }
    for (int i = 0; i < 32'000; ++i)
      many.push_back(program_header(PT_DYNAMIC, beyond + 32'000, 16));
    const std::string bytes = library_of("weir", 1, many);
    const std::clock_t begin = std::clock();  // of the processor: the machine may stand still
    const auto image = ElfImage::parse(bytes);
    CHECK(std::clock() - begin < 2 * CLOCKS_PER_SEC);
    REQUIRE(image);
    CHECK_FALSE(image->dynamic().empty());
  }

  TEST_CASE("a function is named at most at some length, however much its name is written out") {
    const auto named = [](const std::string& name) {
      const auto place = place_in_function(name);
      REQUIRE(place);
      return place->function;
    };
    CHECK(named("_Z6chargeRK4Card") == "charge(Card const&)");
    CHECK(named("_Z1fRK1AIiiES2_S2_") ==
          "f(A<int, int> const&, A<int, int> const&, A<int, int> const&)");
    // Each parameter is twice the one before: 35 kB, 570 MB.
    const std::string large =
        "_Z1f1AIiiES_IS0_S0_ES_IS1_S1_ES_IS2_S2_ES_IS3_S3_ES_IS4_S4_ES_IS5_S5_ES_IS6_S6_ES_IS7_S7_E"
        "S_IS8_S8_ES_IS9_S9_E";
    const std::string huge =
        large +
        "S_ISA_SA_ES_ISB_SB_ES_ISC_SC_ES_ISD_SD_ES_ISE_SE_ES_ISF_SF_E"
        "S_ISG_SG_ES_ISH_SH_ES_ISI_SI_ES_ISJ_SJ_ES_ISK_SK_ES_ISL_SL_ES_ISM_SM_ES_ISN_SN_E";
    CHECK(named(large).starts_with("f(A<int, int>, A<A<int, int>, A<int, int> >, A<"));
    CHECK(named(large).size() < 600);
    CHECK(named(huge) == huge);
    CHECK(named(std::string(100'000, 'x')).size() < 600);
  }

  TEST_CASE("a large library without a note is refused before all of it is read") {
    const PluginFolder folder;
    const std::string library = bytes_of(built("good"));
    constexpr std::size_t large = 8 * 1024 * 1024;
    const auto kind = [&](std::string bytes, std::size_t bytes_max) {
      bytes.resize(large);
      folder.put_bytes(bytes);
      const auto plugin = inspect(folder.middle(), {.bytes_max = bytes_max});
      return plugin ? std::string("good") : std::string(name(plugin.error().kind));
    };
    CHECK(kind(library_of("f", 1), large - 1) == "no_manifest");
    CHECK(kind(library_of("f", 1), large) == "no_manifest");
    CHECK(kind(library, large) == "good");
    CHECK(kind(library, large - 1) == "too_big");
    CHECK(kind("no library", large) == "not_elf");
  }
}
