#include "page.hpp"

#include <cstddef>

#include "character.hpp"

namespace article {
namespace {

constexpr std::string_view style = R"(<style>
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; font: 1.05rem/1.6 serif; color: #222; background: #fff; }
h1, h2 { line-height: 1.25; }
.summary { border-left: 4px solid #5a8fa8; padding-left: 1rem; background: #f2f7f9; }
.keywords, footer { color: #555; font-size: 0.9rem; }
pre { overflow-x: auto; padding: 0.75rem; background: #f4f4f4; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181a1b; }
  .summary { background: #20292d; }
  .keywords, footer { color: #aaa; }
  pre { background: #232627; }
}
</style>
)";

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string element(std::string_view name, std::string_view text) {
  const std::string tag(name);
  return "<" + tag + ">" + escaped(text) + "</" + tag + ">\n";
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string all;
  for (const std::string& text : texts) {
    if (!all.empty()) all += separator;
    all += text;
  }
  return all;
}

std::string body_of(const Document& document) {
  std::string html;
  bool in_list = false;
  for (const Block& block : document.blocks) {
    if ((block.kind == "item") != in_list) html += in_list ? "</ul>\n" : "<ul>\n";
    in_list = block.kind == "item";
    if (in_list) {
      html += element("li", block.text);
    } else if (block.kind == "heading") {
      html += element("h2", block.text);
    } else if (block.kind == "code") {
      html += "<pre><code>" + escaped(block.text) + "</code></pre>\n";
    } else {
      html += element("p", block.text);
    }
  }
  return html + (in_list ? "</ul>\n" : "");
}

}  // namespace

std::string page(const PageContent& content) {
  std::string html = "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += element("title", content.document.title);
  html += style;
  html += "</head>\n<body>\n<article>\n";
  html += element("h1", content.document.title);
  if (!content.summary.empty()) {
    html += "<div class=\"summary\">\n" + element("p", joined(content.summary, " ")) + "</div>\n";
  }
  if (!content.keywords.empty()) {
    html += "<p class=\"keywords\">" + escaped(joined(content.keywords, " \u00B7 ")) + "</p>\n";
  }
  html += body_of(content.document);
  html += "</article>\n";
  html += element("footer", "From " + std::string(content.source_name));
  return html + "</body>\n</html>\n";
}

std::string page_name(std::string_view source_name) {
  return std::string(source_name) + (lower(source_name).ends_with(".html") ? "" : ".html");
}

}  // namespace article
