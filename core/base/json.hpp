#pragma once
#include <string>
#include <string_view>

#include <weir/json_text.hpp>

namespace weir {

/// `utf8` as a JSON string with its quotes; bytes that are not UTF-8, and NUL, become U+FFFD.
std::string json_quoted(std::string_view utf8);

/// `bytes` with everything that is not UTF-8, and NUL, replaced by U+FFFD: what a text column can
/// hold.
std::string utf8_or_replaced(std::string_view bytes);

}  // namespace weir
