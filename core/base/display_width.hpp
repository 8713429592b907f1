#pragma once
#include <cstddef>
#include <string_view>

namespace weir {

/// How many cells a terminal gives to valid UTF-8: two for wide East Asian characters and emoji,
/// none for combining marks, one for the rest. Does not depend on the locale.
std::size_t display_width(std::string_view utf8) noexcept;

}  // namespace weir
