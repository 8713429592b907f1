#include "html_document.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "character.hpp"
#include "entities.hpp"
#include "html_tokens.hpp"

namespace article {
namespace {

constexpr std::array<std::string_view, 36> block_elements = {
    "address", "article", "aside",  "blockquote", "body",    "caption",  "center",     "dd",
    "details", "dir",     "div",    "dl",         "dt",      "fieldset", "figcaption", "figure",
    "footer",  "form",    "header", "hr",         "html",    "legend",   "li",         "main",
    "menu",    "ol",      "p",      "pre",        "section", "summary",  "table",      "tbody",
    "tfoot",   "thead",   "tr",     "ul"};
constexpr std::array<std::string_view, 6> left_out = {"nav",  "noscript", "svg",
                                                      "math", "template", "select"};
constexpr std::array<std::string_view, 3> word_breaks = {"br", "td", "th"};

template <std::size_t size>
bool contains(const std::array<std::string_view, size>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_heading(std::string_view name) {
  return name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6';
}

class Builder {
 public:
  void add(const HtmlToken& token) {
    if (!left_out_.empty()) return pass_over(token);
    switch (token.kind) {
      case HtmlToken::Kind::text:
        return add_text(token.text);
      case HtmlToken::Kind::start:
        return start(token);
      case HtmlToken::Kind::end:
        if (token.name == "title") in_title_ = false;
        if (is_block(token.name)) begin("paragraph");
    }
  }

  Document finish() && {
    flush();
    document_.title = !title_.empty() ? title_ : first_h1_;
    return std::move(document_);
  }

 private:
  static bool is_block(std::string_view name) {
    return is_heading(name) || contains(block_elements, name);
  }

  /// Inside an element that is left out. Only its own tags count, so that it ends where it should.
  void pass_over(const HtmlToken& token) {
    if (token.name != left_out_ || token.closes_itself) return;
    depth_ += token.kind == HtmlToken::Kind::start ? 1 : -1;
    if (depth_ == 0) left_out_.clear();
  }

  void add_text(std::string_view text) {
    const std::string decoded = decode_entities(text);
    if (in_title_) {
      if (title_.empty()) title_ = collapsed(decoded);
    } else {
      text_ += decoded;
    }
  }

  void start(const HtmlToken& token) {
    const std::string_view name = token.name;
    if (name == "title") {
      in_title_ = true;
    } else if (contains(left_out, name) && !token.closes_itself) {
      left_out_ = name;
      depth_ = 1;
    } else if (contains(word_breaks, name)) {
      text_ += kind_ == "code" ? '\n' : ' ';
    } else if (is_heading(name)) {
      begin("heading");
      in_h1_ = name == "h1";
    } else if (name == "li" || name == "dt" || name == "dd") {
      begin("item");
    } else if (name == "pre") {
      begin("code");
    } else if (is_block(name)) {
      begin_within();
    }
  }

  /// A block that opens an item or a heading, as in <li><p>, belongs to it.
  void begin_within() {
    if (text_.find_first_not_of(" \t\n") == std::string::npos) {
      text_.clear();
    } else {
      begin("paragraph");
    }
  }

  void begin(std::string_view kind) {
    flush();
    kind_ = kind;
    in_h1_ = false;
  }

  void flush() {
    std::string text = kind_ == "code" ? trimmed_lines(text_) : collapsed(text_);
    text_.clear();
    if (text.empty()) return;
    if (in_h1_ && first_h1_.empty()) first_h1_ = text;
    document_.blocks.push_back({kind_, std::move(text)});
  }

  /// Code keeps its white space, except the line feed after <pre> and trailing white space.
  static std::string trimmed_lines(std::string_view code) {
    if (code.starts_with('\n')) code.remove_prefix(1);
    return std::string(code.substr(0, code.find_last_not_of(" \t\n") + 1));
  }

  Document document_;
  std::string title_;
  std::string first_h1_;
  std::string text_;
  std::string kind_ = "paragraph";
  std::string left_out_;  ///< the element being left out
  int depth_ = 0;         ///< how many of its kind are open
  bool in_title_ = false;
  bool in_h1_ = false;
};

}  // namespace

Document html_document(std::string_view html) {
  Builder builder;
  HtmlTokens tokens(html);
  while (const auto token = tokens.next()) builder.add(*token);
  return std::move(builder).finish();
}

}  // namespace article
