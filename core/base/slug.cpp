#include "base/slug.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/in_quotes.hpp"

namespace weir {
namespace {

bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_word(char c) { return starts_word(c) || (c >= '0' && c <= '9'); }

bool is_word(std::string_view text) {
  return !text.empty() && starts_word(text.front()) && std::ranges::all_of(text, continues_word);
}

Error bad_name(const char* kind, std::string_view what, std::string_view text, std::string message,
               std::string hint) {
  return {.code = ErrorCode::invalid_definition,
          .kind = kind,
          .message = fmt::format("{} {} {}", what, in_quotes(text), message),
          .hint = std::move(hint)};
}

}  // namespace

Result<Slug> Slug::parse(std::string_view text) {
  const auto refuse = [&](std::string message, std::string hint) {
    return std::unexpected(bad_name("bad_slug", "slug", text, std::move(message), std::move(hint)));
  };
  if (text.empty()) return refuse("is empty", "give it a name such as process_order");
  if (text.size() > bytes_max)
    return refuse(fmt::format("is {} bytes long", text.size()),
                  fmt::format("at most {} are allowed", bytes_max));
  if (!is_word(text))
    return refuse("has characters a slug may not have",
                  "letters, digits and _ only, not beginning with a digit");
  if (weir::folded(text) == "run") return refuse("is reserved", "choose another name");
  return Slug(text);
}

std::string Slug::folded() const { return weir::folded(text_); }

Result<ModuleName> ModuleName::parse(std::string_view text) {
  const auto refuse = [&](std::string message, std::string hint) {
    return std::unexpected(
        bad_name("bad_module_name", "module name", text, std::move(message), std::move(hint)));
  };
  if (text.empty()) return refuse("is empty", "give it a name such as shop.ProcessOrder");
  if (text.size() > bytes_max)
    return refuse(fmt::format("is {} bytes long", text.size()),
                  fmt::format("at most {} are allowed", bytes_max));
  for (std::string_view rest = text;;) {
    const std::size_t dot = rest.find('.');
    if (!is_word(rest.substr(0, dot)))
      return refuse("has a segment that is not a name",
                    "segments of letters, digits and _ joined by dots: shop.ProcessOrder");
    if (dot == std::string_view::npos) return ModuleName(text);
    rest.remove_prefix(dot + 1);
  }
}

std::string folded(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

}  // namespace weir
