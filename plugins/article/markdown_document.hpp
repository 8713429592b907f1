#pragma once
#include <string_view>

#include "document.hpp"

namespace article {

/// The text of a Markdown file: headings, paragraphs, list items, code; quotes and table rows as
/// paragraphs. The title is that of the front matter, else the first heading. Any bytes of UTF-8
/// will do.
Document markdown_document(std::string_view markdown);

}  // namespace article
