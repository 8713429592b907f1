#pragma once
#include <string>
#include <string_view>

#include <weir/json_text.hpp>

namespace weir {

/// `utf8` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD, NUL becomes
/// U+FFFD.
std::string json_quoted(std::string_view utf8);

/// `bytes` with everything that is no UTF-8, and NUL, replaced by U+FFFD: what a text column can
/// hold.
std::string utf8_or_replaced(std::string_view bytes);

}  // namespace weir
