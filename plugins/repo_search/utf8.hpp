#pragma once
#include <string>
#include <string_view>

namespace repo_search {

bool is_utf8(std::string_view text);

/// `bytes` with U+FFFD for each that belongs to no whole character (RFC 3629).
std::string as_utf8(std::string_view bytes);

}  // namespace repo_search
