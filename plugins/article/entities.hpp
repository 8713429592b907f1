#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace article {

/// A character reference such as "&amp;" and how many bytes it took; size 0: there is none.
struct Reference {
  char32_t code = 0;
  std::size_t size = 0;
};

/// The character reference that `text` begins with. A character that HTML forbids or cannot show
/// becomes U+FFFD.
Reference first_reference(std::string_view text);

/// `text` with every character reference resolved; unknown ones stay as they are.
std::string decode_entities(std::string_view text);

}  // namespace article
