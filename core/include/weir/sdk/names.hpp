#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace weir::sdk {

/// Less than, equal to or greater than 0, ignoring case. (Hand-written loops here and below:
/// constant evaluation has a budget, which 1024 steps would exceed with <algorithm>.)
constexpr int compare_words(std::string_view a, std::string_view b) {
  const auto folded = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
  const std::size_t common = a.size() < b.size() ? a.size() : b.size();
  for (std::size_t i = 0; i < common; ++i)
    if (a[i] != b[i] && folded(a[i]) != folded(b[i])) return folded(a[i]) - folded(b[i]);
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

/// Whether both are the same word, ignoring case.
constexpr bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && compare_words(a, b) == 0;
}

constexpr bool is_word(std::string_view text) {
  const auto starts = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && starts(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return starts(c) || (c >= '0' && c <= '9'); });
}

/// Whether it is a slug (D1).
constexpr bool is_slug(std::string_view text) {
  return text.size() <= 128 && is_word(text) && !same_word(text, "run");
}

/// Whether it is a module name (D2).
constexpr bool is_module_name(std::string_view text) {
  if (text.size() > 255) return false;
  for (std::string_view rest = text;;) {
    const std::size_t dot = rest.find('.');
    if (!is_word(rest.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace weir::sdk
