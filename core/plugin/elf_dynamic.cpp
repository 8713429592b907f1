#include "plugin/elf_dynamic.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <elf.h>

namespace weir {
namespace {

std::unexpected<PluginError> damaged(std::string detail) {
  return refusal(PluginStage::verify, PluginFault::damaged, std::move(detail),
                 "build it again or copy it again");
}

// The entries of a dynamic section: all of DT_NEEDED, of every other tag the last one.
struct Entries {
  std::vector<std::uint64_t> needed;
  std::map<std::int64_t, std::uint64_t> values;

  explicit Entries(std::string_view section) {
    for (std::uint64_t at = 0;; at += sizeof(Elf64_Dyn)) {
      const auto entry = read_at<Elf64_Dyn>(section, at);
      if (!entry || entry->d_tag == DT_NULL) return;
      if (entry->d_tag == DT_NEEDED)
        needed.push_back(entry->d_un.d_val);
      else
        values[entry->d_tag] = entry->d_un.d_val;
    }
  }

  std::uint64_t operator[](std::int64_t tag) const {
    const auto found = values.find(tag);
    return found == values.end() ? 0 : found->second;
  }
};

// The string table, whose strings are referred to by offset. A string longer than any compiler
// writes counts as missing, and so do all others once much more was read than the table has: names
// share their ends with others, but not in a sound library the same long text again and again.
class Strings {
 public:
  static constexpr std::size_t bytes_max = std::size_t{64} * 1024;

  explicit Strings(std::string_view bytes) : bytes_(bytes), left_(8 * bytes.size() + bytes_max) {}

  std::optional<std::string_view> at(std::uint64_t offset) {
    if (offset >= bytes_.size()) return std::nullopt;
    const std::string_view text = bytes_.substr(offset, bytes_max);
    const std::size_t end = text.find('\0');
    if (end >= left_) return std::nullopt;  // also without an end
    left_ -= end + 1;
    return text.substr(0, end);
  }

 private:
  std::string_view bytes_;
  std::size_t left_;
};

// The number of symbols, which only the hash tables show. In the GNU one it follows from the end of
// the last chain.
std::uint64_t symbol_count(const ElfImage& image, const Entries& entries) {
  if (const std::string_view table = image.from(entries[DT_HASH]); entries[DT_HASH] != 0)
    if (const auto count = read_at<std::uint32_t>(table, sizeof(std::uint32_t))) return *count;
  const std::string_view table = image.from(entries[DT_GNU_HASH]);
  struct Header {
    std::uint32_t bucket_count, first_symbol, filter_words, filter_shift;
  };
  const auto header = read_at<Header>(table, 0);
  if (entries[DT_GNU_HASH] == 0 || !header) return 0;
  const std::uint64_t buckets = sizeof(Header) + std::uint64_t{header->filter_words} * 8;
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < header->bucket_count; ++i) {
    const auto bucket = read_at<std::uint32_t>(table, buckets + i * 4);
    if (!bucket) return 0;
    last = std::max<std::uint64_t>(last, *bucket);
  }
  if (last < header->first_symbol) return header->first_symbol;
  const std::uint64_t chains = buckets + std::uint64_t{header->bucket_count} * 4;
  for (;; ++last) {
    const auto link = read_at<std::uint32_t>(table, chains + (last - header->first_symbol) * 4);
    if (!link || (*link & 1U) != 0) return last + 1;
  }
}

std::optional<std::vector<ElfDynamic::Symbol>> read_symbols(const ElfImage& image,
                                                            const Entries& entries,
                                                            Strings& strings) {
  std::vector<ElfDynamic::Symbol> symbols;
  const std::string_view table = image.from(entries[DT_SYMTAB]);
  const std::uint64_t count = symbol_count(image, entries);
  for (std::uint64_t i = 1; i < count; ++i) {  // the first is a placeholder
    const auto symbol = read_at<Elf64_Sym>(table, i * sizeof(Elf64_Sym));
    const auto name = symbol ? strings.at(symbol->st_name) : std::nullopt;
    if (!name) return std::nullopt;
    const unsigned binding = ELF64_ST_BIND(symbol->st_info);
    const unsigned visibility = ELF64_ST_VISIBILITY(symbol->st_other);
    if (binding == STB_LOCAL || visibility == STV_HIDDEN || visibility == STV_INTERNAL) continue;
    symbols.push_back({.name = *name,
                       .address = symbol->st_value,
                       .size = symbol->st_size,
                       .defined = symbol->st_shndx != SHN_UNDEF,
                       .weak = binding == STB_WEAK,
                       .data = ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT,
                       .unique = binding == STB_GNU_UNIQUE});
  }
  return symbols;
}

// Version tables are chains of offsets, which in a damaged file may overlap and be very long.
constexpr std::size_t versions_max = 10'000;

std::optional<std::vector<ElfDynamic::VersionNeed>> read_version_needs(const ElfImage& image,
                                                                       const Entries& entries,
                                                                       Strings& strings) {
  std::vector<ElfDynamic::VersionNeed> needs;
  const std::string_view table = image.from(entries[DT_VERNEED]);
  std::uint64_t at = 0;
  for (std::uint64_t left = entries[DT_VERNEEDNUM]; left > 0; --left) {
    const auto library = read_at<Elf64_Verneed>(table, at);
    const auto name = library ? strings.at(library->vn_file) : std::nullopt;
    if (!name) return std::nullopt;
    std::uint64_t version_at = at + library->vn_aux;
    for (unsigned versions_left = library->vn_cnt; versions_left > 0; --versions_left) {
      const auto version = read_at<Elf64_Vernaux>(table, version_at);
      const auto text = version ? strings.at(version->vna_name) : std::nullopt;
      if (!text || needs.size() == versions_max) return std::nullopt;
      needs.push_back({*name, *text, (version->vna_flags & VER_FLG_WEAK) != 0});
      if (version->vna_next == 0) break;
      version_at += version->vna_next;
    }
    if (library->vn_next == 0) break;
    at += library->vn_next;
  }
  return needs;
}

std::optional<std::vector<std::string_view>> read_versions(const ElfImage& image,
                                                           const Entries& entries,
                                                           Strings& strings) {
  std::vector<std::string_view> versions;
  const std::string_view table = image.from(entries[DT_VERDEF]);
  std::uint64_t at = 0;
  for (std::uint64_t left = entries[DT_VERDEFNUM]; left > 0; --left) {
    const auto definition = read_at<Elf64_Verdef>(table, at);
    const auto first =
        definition ? read_at<Elf64_Verdaux>(table, at + definition->vd_aux) : std::nullopt;
    const auto text = first ? strings.at(first->vda_name) : std::nullopt;
    if (!text || versions.size() == versions_max) return std::nullopt;
    versions.push_back(*text);
    if (definition->vd_next == 0) break;
    at += definition->vd_next;
  }
  return versions;
}

}  // namespace

const ElfDynamic::Symbol* ElfDynamic::definition(std::string_view name) const noexcept {
  const auto found = std::ranges::find_if(
      symbols, [&](const Symbol& symbol) { return symbol.defined && symbol.name == name; });
  return found == symbols.end() ? nullptr : &*found;
}

std::expected<ElfDynamic, PluginError> ElfDynamic::parse(const ElfImage& image) {
  const Entries entries(image.dynamic());
  const std::string_view string_bytes = image.from(entries[DT_STRTAB]);
  if (string_bytes.size() < entries[DT_STRSZ])
    return damaged("its string table is not inside the file");
  Strings strings(string_bytes.substr(0, entries[DT_STRSZ]));

  ElfDynamic dynamic;
  dynamic.program = (entries[DT_FLAGS_1] & DF_1_PIE) != 0;
  dynamic.nodelete = (entries[DT_FLAGS_1] & DF_1_NODELETE) != 0;
  dynamic.binds_now = (entries[DT_FLAGS_1] & DF_1_NOW) != 0 ||
                      (entries[DT_FLAGS] & DF_BIND_NOW) != 0 ||
                      entries.values.contains(DT_BIND_NOW);
  dynamic.constructors = entries[DT_INIT_ARRAYSZ] / sizeof(Elf64_Addr);
  dynamic.destructors = entries[DT_FINI_ARRAYSZ] / sizeof(Elf64_Addr);
  for (const std::uint64_t offset : entries.needed) {
    const auto name = strings.at(offset);
    if (!name) return damaged("a library it needs has no name");
    dynamic.needed.push_back(*name);
  }
  for (const std::int64_t tag : {std::int64_t{DT_RUNPATH}, std::int64_t{DT_RPATH}})
    if (dynamic.runpath.empty() && entries.values.contains(tag))
      dynamic.runpath = strings.at(entries[tag]).value_or(std::string_view{});
  auto symbols = read_symbols(image, entries, strings);
  if (!symbols)
    return damaged("its symbol table is not inside the file, or repeats its names endlessly");
  dynamic.symbols = *std::move(symbols);
  auto needs = read_version_needs(image, entries, strings);
  auto versions = read_versions(image, entries, strings);
  if (!needs || !versions) return damaged("its symbol versions are not inside the file");
  dynamic.version_needs = *std::move(needs);
  dynamic.versions_defined = *std::move(versions);
  return dynamic;
}

}  // namespace weir
