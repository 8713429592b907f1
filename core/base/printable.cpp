#include "base/printable.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/core.h>

#include "base/utf8.hpp"

namespace weir {
namespace {

// How many bytes of `text`, which is not empty, are one character of UTF-8, and which; 0: none are.
struct Character {
  std::size_t bytes = 0;
  char32_t code = 0;
};

Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {1, lead};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  char32_t code = lead & (0x7FU >> bytes);
  for (const char next : text.substr(1, bytes - 1)) {
    if (!continues_character(next)) return {};
    code = (code << 6U) | (static_cast<unsigned char>(next) & 0x3FU);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < least[bytes] || code > 0x10FFFF || is_surrogate) return {};
  return {bytes, code};
}

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
    const Character next = first_of(text);
    if (next.bytes == 0)
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    else if (next.code == '\n' && newlines != Newlines::escaped)
      shown += newlines == Newlines::kept ? "\n" : "\n    ";
    else if (is_harmful(next.code))
      shown += escaped(next.code);
    else
      shown += text.substr(0, next.bytes);
    text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
  }
  return shown;
}

}  // namespace weir
