// Any bytes as the notes of others in a segment: our note behind them is found, unless they contain
// one of ours that reaches into it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <elf.h>

#include "plugin/elf_notes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view name = "Weir", content = "{\"weir\": 1}";
  constexpr std::uint32_t type = 1;
  std::string segment(reinterpret_cast<const char*>(data), size);
  for (const std::string_view found : weir::elf_notes(segment, name, type))
    if (found.data() < segment.data() || found.size() > segment.size() ||
        found.data() + found.size() > segment.data() + segment.size())
      std::abort();

  const std::size_t begin = (size + 3) / 4 * 4;
  segment.resize(begin);
  const Elf64_Nhdr header{.n_namesz = name.size() + 1, .n_descsz = content.size(), .n_type = type};
  segment.append(reinterpret_cast<const char*>(&header), sizeof header);
  segment.append(name).append(4, '\0');  // its end, and up to a multiple of 4
  segment += content;
  const auto all = weir::elf_notes(segment, name, type);
  const bool found = std::ranges::any_of(all, [&](std::string_view each) {
    return each == content || each.data() + each.size() > segment.data() + begin;
  });
  if (!found) std::abort();
  return 0;
}
