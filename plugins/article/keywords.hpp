#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "document.hpp"

namespace article {

/// The most frequent words in the prose of the document, without stop words; ties in ascending
/// order.
std::vector<std::string> keywords(const Document& document, std::size_t count = 8);

}  // namespace article
