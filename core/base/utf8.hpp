#pragma once
#include <cstddef>
#include <string_view>

namespace weir {

/// Whether a byte of UTF-8 continues a character that began before it.
constexpr bool continues_character(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// How many bytes the character at the front of `text` has, which is not empty; 0: it is not UTF-8.
constexpr std::size_t character_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!continues_character(text[i])) return 0;
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
  if (lead == 0xED && byte(1) > 0x9F) return 0;  // a surrogate
  if (lead == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;  // past U+10FFFF
  return length;
}

/// The code point of one character, which is given whole; without meaning if it is not UTF-8.
constexpr char32_t code_point(std::string_view character) noexcept {
  const auto lead = static_cast<unsigned char>(character.front());
  char32_t code = lead < 0x80   ? lead
                  : lead < 0xE0 ? lead & 0x1FU
                  : lead < 0xF0 ? lead & 0x0FU
                                : lead & 0x07U;
  for (const char next : character.substr(1))
    code = (code << 6U) | (static_cast<unsigned char>(next) & 0x3FU);
  return code;
}

}  // namespace weir
