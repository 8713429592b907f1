#pragma once

namespace weir {

/// Whether a byte of UTF-8 continues a character that began before it.
constexpr bool continues_character(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace weir
