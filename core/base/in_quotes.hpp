#pragma once
#include <string>
#include <string_view>

namespace weir {

/// Unchecked text as messages show it: in double quotes on one line, control characters escaped as
/// in JSON, bytes that are not UTF-8 replaced, cut with "…" after 128 bytes. So a name from an
/// untrusted file can neither flood a log nor control a terminal.
std::string in_quotes(std::string_view text);

}  // namespace weir
