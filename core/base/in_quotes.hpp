#pragma once
#include <string>
#include <string_view>

namespace weir {

/// A word nobody has checked as messages show it: in double quotes on one line, control characters
/// escaped as in JSON, bytes that are no UTF-8 replaced, cut with "…" after 128 bytes. So a name
/// from a stranger's file can neither flood a log nor steer a terminal.
std::string in_quotes(std::string_view text);

}  // namespace weir
