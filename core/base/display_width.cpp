#include "base/display_width.hpp"

#include <algorithm>
#include <array>

#include "base/utf8.hpp"

namespace weir {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode 15, the ranges that occur in file names and configuration; sorted.
constexpr std::array<Range, 12> zero = {{{0x0300, 0x036F},
                                         {0x0483, 0x0489},
                                         {0x0591, 0x05BD},
                                         {0x064B, 0x065F},
                                         {0x0E31, 0x0E31},
                                         {0x0E34, 0x0E3A},
                                         {0x200B, 0x200F},
                                         {0x20D0, 0x20F0},
                                         {0x302A, 0x302D},
                                         {0xFE00, 0xFE0F},
                                         {0xFE20, 0xFE2F},
                                         {0xFEFF, 0xFEFF}}};
constexpr std::array<Range, 14> wide = {{{0x1100, 0x115F},
                                         {0x231A, 0x231B},
                                         {0x23E9, 0x23EC},
                                         {0x2705, 0x2705},
                                         {0x2E80, 0x3029},
                                         {0x3030, 0x303E},
                                         {0x3041, 0xA4CF},
                                         {0xA960, 0xA97C},
                                         {0xAC00, 0xD7A3},
                                         {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},
                                         {0xFF00, 0xFF60},
                                         {0xFFE0, 0xFFE6},
                                         {0x1F300, 0x3FFFD}}};

template <std::size_t n>
constexpr bool within(const std::array<Range, n>& ranges, char32_t c) {
  const auto at = std::ranges::lower_bound(ranges, c, {}, &Range::last);
  return at != ranges.end() && at->first <= c;
}

template <std::size_t n>
constexpr bool is_ascending(const std::array<Range, n>& ranges) {
  return std::ranges::is_sorted(ranges, {}, &Range::first) &&
         std::ranges::is_sorted(ranges, {}, &Range::last);
}
static_assert(is_ascending(zero) && is_ascending(wide));

}  // namespace

std::size_t display_width(std::string_view utf8) noexcept {
  std::size_t cells = 0;
  for (std::size_t i = 0; i < utf8.size();) {
    const std::size_t begin = i++;
    while (i < utf8.size() && continues_character(utf8[i])) ++i;
    const char32_t c = code_point(utf8.substr(begin, i - begin));
    cells += within(zero, c) ? 0U : within(wide, c) ? 2U : 1U;
  }
  return cells;
}

}  // namespace weir
