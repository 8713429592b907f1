#include "convert.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "character.hpp"
#include "html_document.hpp"
#include "markdown_document.hpp"
#include "text_document.hpp"

namespace article {
namespace {

constexpr std::size_t looked_at = 4'096;
constexpr std::array endings =
    std::to_array<std::pair<std::string_view, std::string_view>>({{"html", "html"},
                                                                  {"htm", "html"},
                                                                  {"xhtml", "html"},
                                                                  {"md", "markdown"},
                                                                  {"markdown", "markdown"},
                                                                  {"mkd", "markdown"},
                                                                  {"txt", "text"},
                                                                  {"text", "text"}});

/// The name without its ending, and the ending without its dot; ".profile" has none.
std::pair<std::string_view, std::string_view> parted(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {name, ""};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

bool looks_like_html(std::string_view beginning) {
  const std::string start =
      lower(beginning.substr(std::min(beginning.find_first_not_of(" \t\n"), beginning.size())));
  return start.starts_with("<!doctype html") || start.starts_with("<html") ||
         (start.starts_with('<') && start.find("</") != std::string::npos);
}

bool looks_like_markdown(std::string_view beginning) {
  const std::string start = "\n" + std::string(beginning);
  return std::ranges::any_of(std::array{"\n# ", "\n## ", "\n```", "]("}, [&](const char* sign) {
    return start.find(sign) != std::string::npos;
  });
}

}  // namespace

std::string_view kind_of(std::string_view file_name, std::string_view text) {
  const std::string ending = lower(parted(file_name).second);
  const auto known = std::ranges::find(endings, ending, &decltype(endings)::value_type::first);
  if (known != endings.end()) return known->second;
  const std::string_view beginning = text.substr(0, looked_at);
  return looks_like_html(beginning) ? "html" : looks_like_markdown(beginning) ? "markdown" : "text";
}

Document convert(std::string_view file_name, std::string_view text) {
  const std::string_view kind = kind_of(file_name, text);
  Document document = kind == "html"       ? html_document(text)
                      : kind == "markdown" ? markdown_document(text)
                                           : text_document(text);
  if (document.title.empty()) document.title = parted(file_name).first;
  const auto heading = std::ranges::find(document.blocks, "heading", &Block::kind);
  if (heading != document.blocks.end() && heading->text == document.title)
    document.blocks.erase(heading);
  return document;
}

}  // namespace article
