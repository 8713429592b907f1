#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>

#include <weir/sdk/refused.hpp>

namespace weir::sdk {

constexpr char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The same word in any case.
constexpr bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, folded, folded);
}

constexpr bool is_word(std::string_view text) {
  const auto starts = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && starts(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return starts(c) || (c >= '0' && c <= '9'); });
}

/// D1.
constexpr void check_slug(std::string_view slug) {
  if (slug.size() > 128 || !is_word(slug) || same_word(slug, "run")) refused::bad_slug();
}

/// D2.
constexpr void check_module_name(std::string_view name) {
  if (name.size() > 255) refused::bad_module_name();
  for (std::string_view rest = name;;) {
    const std::size_t dot = rest.find('.');
    if (!is_word(rest.substr(0, dot))) refused::bad_module_name();
    if (dot == std::string_view::npos) return;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace weir::sdk
