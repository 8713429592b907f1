#include "base/printable.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/core.h>

#include "base/utf8.hpp"

namespace weir {
namespace {

bool is_harmful(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||  // C0, delete, C1
         (code >= 0x2028 && code <= 0x202E) ||             // line separators, directions
         (code >= 0x2066 && code <= 0x2069);               // directions
}

std::string escaped(char32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  if (code == '\r') return "\\r";
  return fmt::format("\\u{:04x}", static_cast<unsigned>(code));
}

}  // namespace

std::string printable(std::string_view text, Newlines newlines) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t bytes = character_length(text);
    const char32_t code = bytes == 0 ? 0 : code_point(text.substr(0, bytes));
    if (bytes == 0)
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    else if (code == '\n' && newlines != Newlines::escaped)
      shown += newlines == Newlines::kept ? "\n" : "\n    ";
    else if (is_harmful(code))
      shown += escaped(code);
    else
      shown += text.substr(0, bytes);
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return shown;
}

}  // namespace weir
