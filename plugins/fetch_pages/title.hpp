#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace fetch_pages {

/// The text of a page's first <title>, white space made one, at most 200 bytes of UTF-8. Character
/// references stay as they are. nullopt: there is none, or it is no UTF-8.
std::optional<std::string> title_of(std::string_view html);

}  // namespace fetch_pages
