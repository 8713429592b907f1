#include "plugin/library_search.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <system_error>

#include "base/file_bytes.hpp"
#include "plugin/elf_image.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

#if defined(__x86_64__)
constexpr std::string_view processor = "x86_64";
#elif defined(__aarch64__)
constexpr std::string_view processor = "aarch64";
#elif defined(__riscv)
constexpr std::string_view processor = "riscv64";
#else
constexpr std::string_view processor = "powerpc64le";
#endif

// "a:b", where an empty part is the current folder, as in ld.so.
std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t colon = list.find(':');
    parts.emplace_back(list.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    list.remove_prefix(colon + 1);
  }
}

// The path with $ORIGIN replaced; "" when there is no origin, or when it has another variable.
fs::path expanded(std::string text, const fs::path& origin) {
  for (const std::string_view variable : {"${ORIGIN}", "$ORIGIN"}) {
    if (const std::size_t at = text.find(variable); at != std::string::npos) {
      if (origin.empty()) return {};
      text.replace(at, variable.size(), origin.native());
    }
  }
  return text.contains('$') ? fs::path{} : fs::path(text);
}

constexpr std::string_view cache_format = "glibc-ld.so.cache1.1";

// Reads what ldconfig wrote (glibc's "new format", the only one in the file since 2.32). Anything
// else counts as an empty cache: the system's folders are searched in any case.
std::multimap<std::string, fs::path, std::less<>> read_cache(const fs::path& file) {
  const std::string bytes = file_bytes(file);
  struct Header {
    std::array<char, cache_format.size()> format;
    std::uint32_t entry_count, strings_size;
    std::array<std::uint32_t, 5> unused;
  };
  struct Entry {
    std::int32_t flags;
    std::uint32_t name, path, os_version;
    std::uint64_t hardware;
  };
  static_assert(sizeof(Header) == 48 && sizeof(Entry) == 24);
  std::multimap<std::string, fs::path, std::less<>> cache;
  const auto header = read_at<Header>(bytes, 0);
  if (!header || !std::string_view(bytes).starts_with(cache_format)) return cache;
  const auto text = [&](std::uint32_t at) {
    return std::string(at < bytes.size() ? bytes.c_str() + at : "");
  };
  for (std::uint64_t i = 0; i < header->entry_count; ++i) {
    const auto entry = read_at<Entry>(bytes, sizeof(Header) + i * sizeof(Entry));
    if (!entry) break;
    cache.emplace(text(entry->name), text(entry->path));
  }
  return cache;
}

}  // namespace

LibrarySearch::LibrarySearch() : cache_(read_cache("/etc/ld.so.cache")) {
  if (const char* list = std::getenv("LD_LIBRARY_PATH"); list != nullptr && *list != '\0')
    for (std::string& folder : split(list))
      environment_.emplace_back(folder.empty() ? "." : std::move(folder));
}

std::vector<fs::path> LibrarySearch::candidates(std::string_view name, std::string_view runpath,
                                                const fs::path& origin) const {
  std::vector<fs::path> found;
  const auto add = [&](const fs::path& path) {
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) found.push_back(path);
  };
  if (name.contains('/')) {
    add(name);
    return found;
  }
  for (const fs::path& folder : environment_) add(folder / name);
  for (const std::string& part : split(runpath))
    if (const fs::path folder = expanded(part, origin); !folder.empty()) add(folder / name);
  for (auto [entry, end] = cache_.equal_range(name); entry != end; ++entry) add(entry->second);
  const std::string triplet = std::string(processor) + "-linux-gnu";
  for (const fs::path& folder :
       {fs::path("/lib") / triplet, fs::path("/usr/lib") / triplet, fs::path("/lib64"),
        fs::path("/usr/lib64"), fs::path("/lib"), fs::path("/usr/lib")})
    add(folder / name);
  return found;
}

}  // namespace weir
