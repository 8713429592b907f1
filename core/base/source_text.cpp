#include "base/source_text.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/display_width.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"

namespace weir {
namespace {

std::size_t characters(std::string_view utf8) {
  return utf8.size() - static_cast<std::size_t>(std::ranges::count_if(utf8, continues_character));
}

// `bytes` as valid UTF-8 without the control characters that a terminal would interpret.
std::string safe_bytes(std::string_view bytes) {
  std::string clean(bytes);
  std::ranges::replace_if(
      clean,
      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; },
      '\0');
  return utf8_or_replaced(clean);
}

// The last bytes of `text` that fill at most `cells`, whole characters only.
std::string_view tail(std::string_view text, std::size_t cells) {
  std::size_t begin = text.size() - std::min(text.size(), cells * 4);
  while (begin < text.size() &&
         (continues_character(text[begin]) || display_width(text.substr(begin)) > cells))
    ++begin;
  return text.substr(begin);
}

std::string_view head(std::string_view text, std::size_t cells) {
  std::size_t end = std::min(text.size(), cells * 4);
  while (end > 0 && ((end < text.size() && continues_character(text[end])) ||
                     display_width(text.substr(0, end)) > cells))
    --end;
  return text.substr(0, end);
}

// White space as wide as `before` is shown.
std::string blank(std::string_view before) {
  std::string out;
  for (std::size_t at = 0; at < before.size();) {
    const std::size_t tab = std::min(before.find('\t', at), before.size());
    out.append(display_width(before.substr(at, tab - at)), ' ');
    if (tab < before.size()) out += '\t';
    at = tab + 1;
  }
  return out;
}

}  // namespace

std::size_t SourceText::line(std::size_t offset) const noexcept {
  const std::string_view before = text().substr(0, std::min(offset, text_.size()));
  return 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
}

std::size_t SourceText::begin_of_line(std::size_t offset) const noexcept {
  const std::size_t newline = offset == 0 ? std::string::npos : text_.rfind('\n', offset - 1);
  return newline == std::string::npos ? 0 : newline + 1;
}

std::string SourceText::place(TextSpan where) const {
  const std::size_t offset = std::min(where.offset, text_.size());
  const std::size_t begin = begin_of_line(offset);
  return fmt::format("{}:{}:{}", name_, line(offset),
                     characters(safe_bytes(text().substr(begin, offset - begin))) + 1);
}

std::string SourceText::pointed(TextSpan where, std::string_view severity,
                                std::string_view message) const {
  const std::size_t offset = std::min(where.offset, text_.size());
  const std::size_t begin = begin_of_line(offset);
  std::size_t end = std::min(text_.find('\n', offset), text_.size());
  if (end > offset && text_[end - 1] == '\r') --end;

  // A stretch that ends inside a character has the whole of it.
  std::size_t marked_end = offset + std::min(where.bytes, end - offset);
  while (marked_end < end && (static_cast<unsigned char>(text_[marked_end]) & 0xC0U) == 0x80U)
    ++marked_end;
  const std::string before = safe_bytes(text().substr(begin, offset - begin));
  const std::string marked = safe_bytes(text().substr(offset, marked_end - offset));
  const std::string after = safe_bytes(text().substr(marked_end, end - marked_end));

  // The text before the stretch gets a third of the columns, the stretch and the text after it the
  // rest.
  const bool fits =
      display_width(before) + display_width(marked) + display_width(after) <= shown_columns_max;
  const std::string_view left =
      fits ? std::string_view(before) : tail(before, shown_columns_max / 3);
  const std::string rest = marked + after;
  const std::string_view right =
      fits ? std::string_view(rest) : head(rest, shown_columns_max * 2 / 3);
  const std::string_view cut_left = left.size() < before.size() ? "…" : "";
  const std::string_view cut_right = right.size() < rest.size() ? "…" : "";
  const std::size_t tildes = display_width(right.substr(0, std::min(marked.size(), right.size())));

  return fmt::format("{}: {}: {}\n {}{}{}{}\n {}{}^{}", place(where), severity, message, cut_left,
                     left, right, cut_right, cut_left.empty() ? "" : " ", blank(left),
                     std::string(tildes > 1 ? tildes - 1 : 0, '~'));
}

}  // namespace weir
