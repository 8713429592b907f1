#include "html_tokens.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "character.hpp"

namespace article {
namespace {

/// Their content is no markup, and only that of a title is used.
constexpr std::array<std::string_view, 9> raw_elements = {
    "script", "style", "title", "textarea", "iframe", "noembed", "noframes", "xmp", "plaintext"};

bool ends_name(char c) { return is_space(c) || c == '/' || c == '>'; }

std::size_t after(std::size_t at, std::size_t size) {
  return at == std::string_view::npos ? at : at + size;
}

/// Where the attributes from `at` on end: just after the ">" of the tag, or npos.
std::size_t attributes_end(std::string_view html, std::size_t at) {
  while (at < html.size() && html[at] != '>') {
    if (html[at++] != '=') continue;
    at = std::min(html.find_first_not_of(" \t\n\v\f\r", at), html.size());
    if (at == html.size() || html[at] == '>') continue;
    const bool quoted = html[at] == '"' || html[at] == '\'';
    at = quoted ? after(html.find(html[at], at + 1), 1) : html.find_first_of(" \t\n\v\f\r>", at);
  }
  return at < html.size() ? at + 1 : std::string_view::npos;
}

}  // namespace

std::string_view HtmlTokens::take(std::size_t size) {
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(taken.size());
  return taken;
}

std::optional<HtmlToken> HtmlTokens::next() {
  if (!raw_.empty()) {
    const bool shown = raw_ == "title";
    const std::string_view text = raw_text();
    if (shown && !text.empty()) return HtmlToken{.text = text};
  }
  while (!rest_.empty()) {
    const char second = rest_.size() > 1 ? rest_[1] : '\0';
    const char third = rest_.size() > 2 ? rest_[2] : '\0';
    if (rest_[0] != '<') {
      return HtmlToken{.text = take(rest_.find('<'))};
    } else if (is_letter(second)) {
      return tag(HtmlToken::Kind::start, 1);
    } else if (second == '/' && is_letter(third)) {
      return tag(HtmlToken::Kind::end, 2);
    } else if (rest_.starts_with("<!--")) {
      drop_comment();
    } else if (second == '!' || second == '?' || (second == '/' && third != '\0')) {
      take(after(rest_.find('>'), 1));
    } else {
      return HtmlToken{.text = take(rest_.find('<', 1))};
    }
  }
  return std::nullopt;
}

std::optional<HtmlToken> HtmlTokens::tag(HtmlToken::Kind kind, std::size_t name_at) {
  const auto name_end =
      std::find_if(rest_.begin() + static_cast<std::ptrdiff_t>(name_at), rest_.end(), ends_name);
  const auto name_stop = static_cast<std::size_t>(name_end - rest_.begin());
  HtmlToken token{.kind = kind, .name = lower(rest_.substr(name_at, name_stop - name_at))};
  const std::size_t end = attributes_end(rest_, name_stop);
  const std::string_view whole = take(end);
  if (end == std::string_view::npos) return std::nullopt;  // the file ends within the tag
  token.closes_itself = whole.ends_with("/>");
  const bool raw = std::ranges::find(raw_elements, token.name) != raw_elements.end();
  if (kind == HtmlToken::Kind::start && raw) raw_ = token.name;
  return token;
}

/// Takes everything up to the end tag of `raw_`: "</", the name in any case, and the end of a name.
std::string_view HtmlTokens::raw_text() {
  const std::string name = std::exchange(raw_, {});
  std::size_t at = 0;
  while ((at = rest_.find("</", at)) != std::string_view::npos) {
    const std::string_view tail = rest_.substr(at + 2);
    if (tail.size() > name.size() && lower(tail.substr(0, name.size())) == name &&
        ends_name(tail[name.size()]))
      break;
    at += 2;
  }
  return take(at);
}

/// "<!-- … -->", also ended by "--!>"; "<!-->" and "<!--->" are complete comments.
void HtmlTokens::drop_comment() {
  take(4);
  if (rest_.starts_with(">") || rest_.starts_with("->")) {
    take(rest_.find('>') + 1);
    return;
  }
  for (std::size_t at = 0; (at = rest_.find("--", at)) != std::string_view::npos; ++at) {
    const std::string_view tail = rest_.substr(at + 2);
    if (!tail.starts_with(">") && !tail.starts_with("!>")) continue;
    take(at + 2 + tail.find('>') + 1);
    return;
  }
  take(rest_.size());
}

}  // namespace article
