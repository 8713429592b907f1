#pragma once
#include <string_view>

#include "document.hpp"

namespace article {

/// "html", "markdown" or "text": by the ending of the file's name, else by what the text looks
/// like.
std::string_view kind_of(std::string_view file_name, std::string_view text);

/// The document with a title that is never empty: its own, else the name of the file without its
/// ending. A first heading that repeats the title is left out.
Document convert(std::string_view file_name, std::string_view text);

}  // namespace article
