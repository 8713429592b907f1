#include "plugin/file_mapping.hpp"

#include <charconv>
#include <fstream>
#include <string_view>

namespace weir {
namespace {

// "7f00-7f80 r-xp 00000000 00:1a 42      /a/file (deleted)"
std::optional<FileMapping> mapping_of(std::string_view line) {
  constexpr std::string_view deleted = " (deleted)";
  const std::size_t path = line.find('/');
  if (path == std::string_view::npos) return std::nullopt;
  FileMapping mapping{.begin = 0, .end = 0, .path = std::string(line.substr(path))};
  if (mapping.path.ends_with(deleted)) mapping.path.resize(mapping.path.size() - deleted.size());
  const char* const end = line.data() + line.size();
  const auto begin_read = std::from_chars(line.data(), end, mapping.begin, 16);
  if (begin_read.ec != std::errc() || begin_read.ptr == end) return std::nullopt;
  const auto end_read = std::from_chars(begin_read.ptr + 1, end, mapping.end, 16);
  if (end_read.ec != std::errc()) return std::nullopt;
  return mapping;
}

}  // namespace

std::optional<std::vector<FileMapping>> file_mappings() {
  std::ifstream maps("/proc/self/maps");
  if (!maps) return std::nullopt;
  std::vector<FileMapping> mappings;
  for (std::string line; std::getline(maps, line);)
    if (auto mapping = mapping_of(line)) mappings.push_back(*std::move(mapping));
  return mappings;
}

}  // namespace weir
