#pragma once
#include <string_view>

#include "document.hpp"

namespace article {

/// The text of an HTML page: its title (else its first h1), headings, paragraphs, list items and
/// <pre> as code. Navigation, templates and drawings are left out. Any bytes of UTF-8 will do.
Document html_document(std::string_view html);

}  // namespace article
