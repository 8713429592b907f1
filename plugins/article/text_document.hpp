#pragma once
#include <string_view>

#include "document.hpp"

namespace article {

/// The paragraphs of a plain text, which are separated by blank lines. A first paragraph of one
/// short line that is no sentence is the title.
Document text_document(std::string_view text);

}  // namespace article
