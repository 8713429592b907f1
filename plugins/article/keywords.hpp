#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "document.hpp"

namespace article {

/// The words that stand most often in the prose of the document, stop words aside; ties in
/// ascending order.
std::vector<std::string> keywords(const Document& document, std::size_t count = 8);

}  // namespace article
