#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace article {

/// What find() returns when nothing is found.
inline constexpr std::size_t nowhere = std::string_view::npos;

/// Replaces what cannot be read or shown.
inline constexpr char32_t replacement = U'\uFFFD';

/// One character and how many bytes of UTF-8 it took; size 0: the bytes are no UTF-8, or there are
/// none.
struct Character {
  char32_t code = replacement;
  std::size_t size = 0;
};

Character first_character(std::string_view text) noexcept;
bool is_utf8(std::string_view text) noexcept;
void append(std::string& text, char32_t code);

/// The character that a byte of the encoding windows-1252 encodes, which is also what "&#128;" to
/// "&#159;" mean in HTML.
char32_t from_windows_1252(unsigned char byte) noexcept;

/// Whether the character is allowed in an HTML page: no control character except tab and line feed,
/// and none that Unicode reserves for programs.
constexpr bool is_text(char32_t code) noexcept {
  if (code < 0x20) return code == '\t' || code == '\n';
  const bool for_programs = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return !(code >= 0x7F && code <= 0x9F) && !for_programs && !surrogate && code <= 0x10FFFF;
}

constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
constexpr bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }

/// ASCII letters in lower case.
std::string lower(std::string_view text);

/// The text without white space at both ends; every run of white space within it is one space.
std::string collapsed(std::string_view text);

}  // namespace article
