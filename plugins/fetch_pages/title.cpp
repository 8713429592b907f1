#include "title.hpp"

#include <algorithm>
#include <cstddef>

namespace fetch_pages {
namespace {

constexpr std::size_t longest_title = 200;

// Where the tag begins, in letters of either case; npos: nowhere.
std::size_t find_tag(std::string_view html, std::string_view tag, std::size_t from) {
  const auto same = [](char c, char lower) {
    return c == lower || (c >= 'A' && c <= 'Z' && (c | 0x20) == lower);
  };
  const auto found = std::search(html.begin() + static_cast<std::ptrdiff_t>(from), html.end(),
                                 tag.begin(), tag.end(), same);
  return found == html.end() ? html.npos : static_cast<std::size_t>(found - html.begin());
}

// How many bytes of UTF-8 a character has that begins so; 0: none begins so.
std::size_t size_of_character(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

// The character that begins there; empty: none.
std::string_view character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t size = size_of_character(byte(0));
  if (size == 0 || at + size > text.size()) return {};
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80) return {};
  const bool is_valid =
      size < 3 || !((byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) >= 0xa0) ||
                    (byte(0) == 0xf0 && byte(1) < 0x90) || (byte(0) == 0xf4 && byte(1) >= 0x90));
  return is_valid ? text.substr(at, size) : std::string_view();
}

}  // namespace

std::optional<std::string> title_of(std::string_view html) {
  const std::size_t tag = find_tag(html, "<title", 0);
  if (tag == html.npos) return std::nullopt;
  const std::size_t begin = html.find('>', tag);
  if (begin == html.npos) return std::nullopt;
  const std::size_t end = find_tag(html, "</title", begin);
  if (end == html.npos) return std::nullopt;
  const std::string_view text = html.substr(begin + 1, end - begin - 1);
  std::string title;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view character = character_at(text, at);
    if (character.empty()) return std::nullopt;
    at += character.size();
    const bool is_space = character.size() == 1 && static_cast<unsigned char>(character[0]) <= ' ';
    if (is_space && (title.empty() || title.back() == ' ')) continue;
    if (title.size() + character.size() > longest_title) break;
    title += is_space ? std::string_view(" ") : character;
  }
  if (title.ends_with(' ')) title.pop_back();
  if (title.empty()) return std::nullopt;
  return title;
}

}  // namespace fetch_pages
