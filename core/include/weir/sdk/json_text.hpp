#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::sdk {

/// Parses a JSON text, at compile time too; builds no value. `at` stops where the text stops being
/// JSON (RFC 8259, nested at most `depth_max` deep, no \u0000).
struct JsonScan {
  static constexpr int depth_max = 100;

  std::string_view text;
  std::size_t at = 0;

  constexpr char peek() const { return at < text.size() ? text[at] : '\0'; }
  constexpr bool take(char c) {
    if (peek() != c || at == text.size()) return false;
    ++at;
    return true;
  }
  constexpr void space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at;
  }
  constexpr bool word(std::string_view wanted) {
    if (!text.substr(at).starts_with(wanted)) return false;
    at += wanted.size();
    return true;
  }

  constexpr std::size_t digits() {
    const std::size_t begin = at;
    while (peek() >= '0' && peek() <= '9') ++at;
    return at - begin;
  }
  constexpr bool number() {
    take('-');
    if (!take('0') && digits() == 0) return false;
    if (take('.') && digits() == 0) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) take('-');
    return digits() != 0;
  }

  /// Four hexadecimal digits.
  constexpr std::optional<std::uint32_t> unit() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at) {
      const char c = peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return std::nullopt;
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return value;
  }
  constexpr bool escape() {
    const char c = peek();
    if (c == '\0' || std::string_view("\"\\/bfnrtu").find(c) == std::string_view::npos)
      return false;
    ++at;
    if (c != 'u') return true;
    const std::optional<std::uint32_t> first = unit();
    if (!first || *first == 0) return false;
    if (*first < 0xD800 || *first > 0xDFFF) return true;
    if (*first > 0xDBFF || !word("\\u")) return false;
    const std::optional<std::uint32_t> second = unit();
    return second && *second >= 0xDC00 && *second <= 0xDFFF;
  }
  constexpr bool string() {
    if (!take('"')) return false;
    while (at < text.size() && static_cast<unsigned char>(peek()) >= 0x20) {
      if (take('"')) return true;
      if (take('\\')) {
        if (!escape()) return false;
      } else {
        ++at;
      }
    }
    return false;
  }

  /// `visit(key, value)` for each member: the key as written between its quotes, the value's text.
  template <class Visit>
  constexpr bool members(int depth, Visit visit) {
    if (!take('{')) return false;
    space();
    if (take('}')) return true;
    do {
      space();
      const std::size_t key = at + 1;
      if (!string()) return false;
      const std::string_view name = text.substr(key, at - key - 1);
      space();
      if (!take(':')) return false;
      space();
      const std::size_t begin = at;
      if (!value(depth + 1)) return false;
      visit(name, text.substr(begin, at - begin));
      space();
    } while (take(','));
    return take('}');
  }
  constexpr bool elements(int depth) {
    if (!take('[')) return false;
    space();
    if (take(']')) return true;
    do {
      space();
      if (!value(depth + 1)) return false;
      space();
    } while (take(','));
    return take(']');
  }

  constexpr bool value(int depth = 0) {
    if (depth > depth_max) return false;
    switch (peek()) {
      case '{':
        return members(depth, [](std::string_view, std::string_view) {});
      case '[':
        return elements(depth);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }
};

/// The position where `text` stops being one JSON value; nullopt when it is one.
constexpr std::optional<std::size_t> json_fault(std::string_view text) {
  JsonScan scan{text};
  scan.space();
  if (!scan.value()) return scan.at;
  scan.space();
  return scan.at == text.size() ? std::nullopt : std::optional(scan.at);
}

/// The first character of the value of a JSON text: '{' for an object.
constexpr char json_begin(std::string_view text) {
  JsonScan scan{text};
  scan.space();
  return scan.peek();
}

/// `visit(key, value)` for each member of a JSON object's text; does nothing for any other text.
template <class Visit>
constexpr void each_json_member(std::string_view text, Visit visit) {
  JsonScan scan{text};
  scan.space();
  scan.members(0, visit);
}

}  // namespace weir::sdk
