#include "shown_name.hpp"

#include <cstddef>
#include <cstdint>

namespace text_report {
namespace {

/// Bytes of the UTF-8 character that `text` begins with, 0 when it begins with none (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0U;
  };
  const auto continues = [&](std::size_t from, std::size_t to) {
    while (from < to && (byte(from) & 0xC0U) == 0x80U) ++from;
    return from == to;
  };
  const unsigned lead = byte(0);
  const unsigned second = byte(1);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  if (lead < 0xE0) return continues(1, 2) ? 2 : 0;
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F))
    return 0;  // overlong, surrogate
  if (lead < 0xF0) return continues(1, 3) ? 3 : 0;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
    return 0;  // overlong, past U+10FFFF
  return continues(1, 4) ? 4 : 0;
}

}  // namespace

std::string shown_name(std::string_view name) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string shown;
  while (!name.empty()) {
    const std::size_t size = character_size(name);
    if (size == 0) {
      const auto byte = static_cast<std::uint8_t>(name.front());
      shown += {'\\', 'x', digits[byte >> 4U], digits[byte & 0xFU]};
    }
    shown += name.substr(0, size);
    name.remove_prefix(size == 0 ? 1 : size);
  }
  return shown;
}

}  // namespace text_report
