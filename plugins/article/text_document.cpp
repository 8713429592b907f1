#include "text_document.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "character.hpp"

namespace article {
namespace {

constexpr std::size_t title_bytes_max = 120;

bool is_title(std::string_view paragraph, std::size_t lines) {
  return lines == 1 && paragraph.size() <= title_bytes_max &&
         std::string_view(".!?,;:").find(paragraph.back()) == std::string_view::npos;
}

}  // namespace

Document text_document(std::string_view text) {
  Document document;
  std::string paragraph;
  std::size_t lines = 0;
  const auto end_paragraph = [&] {
    if (paragraph.empty()) return;
    const bool first = document.blocks.empty();
    if (first && is_title(paragraph, lines)) document.title = paragraph;
    document.blocks.push_back(
        {first && !document.title.empty() ? "heading" : "paragraph", std::move(paragraph)});
    paragraph.clear();
    lines = 0;
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line = collapsed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) {
      end_paragraph();
      continue;
    }
    paragraph += (paragraph.empty() ? "" : " ") + line;
    ++lines;
  }
  end_paragraph();
  return document;
}

}  // namespace article
