#include "base/in_quotes.hpp"

#include <cstddef>

#include "base/json.hpp"
#include "base/utf8.hpp"

namespace weir {
namespace {

constexpr std::size_t shown_bytes_max = 128;  // so the longest slug is never cut

}  // namespace

std::string in_quotes(std::string_view text) {
  if (text.size() <= shown_bytes_max) return json_quoted(text);
  std::size_t end = shown_bytes_max;
  while (end > shown_bytes_max - 3 && continues_character(text[end])) --end;
  std::string shown = json_quoted(text.substr(0, end));
  shown.insert(shown.size() - 1, "…");
  return shown;
}

}  // namespace weir
