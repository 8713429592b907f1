#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "document.hpp"

namespace article {

/// The sentences of a paragraph. One ends at ".", "!" or "?" where white space and no lower-case
/// letter follows, unless the dot belongs to an abbreviation or an initial.
std::vector<std::string> sentences(std::string_view paragraph);

/// The `count` sentences that say most, in the order of the text. A sentence scores the frequencies
/// of its different words, stop words aside, by its length (the shortest count as eight words);
/// ties go to the earlier. Taken from the paragraphs, from list items only if there are none.
std::vector<std::string> summary(const Document& document, std::size_t count = 3);

}  // namespace article
