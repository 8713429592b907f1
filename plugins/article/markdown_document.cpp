#include "markdown_document.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "character.hpp"
#include "markdown_inline.hpp"

namespace article {
namespace {

constexpr std::size_t code_indent = 4;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// How far the line is indented; a tab advances to the next multiple of four.
std::size_t indent_of(std::string_view line) {
  std::size_t columns = 0;
  for (const char c : line) {
    if (c != ' ' && c != '\t') break;
    columns += c == ' ' ? 1 : 4 - columns % 4;
  }
  return columns;
}

std::string_view trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  return begin == nowhere ? "" : line.substr(begin, line.find_last_not_of(" \t") - begin + 1);
}

/// The line without `columns` of its indentation.
std::string_view outdented(std::string_view line, std::size_t columns) {
  while (columns > 0 && (line.starts_with(' ') || line.starts_with('\t'))) {
    columns -= std::min<std::size_t>(columns, line.front() == '\t' ? 4 : 1);
    line.remove_prefix(1);
  }
  return line;
}

/// At least `count` times `mark` and nothing else.
bool all(std::string_view line, char mark, std::size_t count) {
  return line.size() >= count && line.find_first_not_of(mark) == nowhere;
}

/// "* * *", "---", "___"
bool is_rule(std::string_view line) {
  std::string marks(line);
  std::erase_if(marks, [](char c) { return c == ' ' || c == '\t'; });
  return !marks.empty() && std::string_view("*-_").contains(marks.front()) &&
         all(marks, marks.front(), 3);
}

/// The length of the "```" or "~~~" that the line begins with; 0 when there is none.
std::size_t fence_size(std::string_view line) {
  if (!line.starts_with("```") && !line.starts_with("~~~")) return 0;
  const std::size_t size = std::min(line.find_first_not_of(line.front()), line.size());
  return line.front() == '`' && line.find('`', size) != nowhere ? 0 : size;
}

/// What follows "- ", "* ", "+ ", "1. " or "1) ".
std::optional<std::string_view> item_text(std::string_view line) {
  const std::size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  const std::string_view mark = line.substr(digits);
  const bool numbered =
      digits > 0 && digits < 10 && (mark.starts_with('.') || mark.starts_with(')'));
  const bool bulleted =
      digits == 0 && (mark.starts_with('-') || mark.starts_with('*') || mark.starts_with('+'));
  if (!(numbered || bulleted) || (mark.size() > 1 && mark[1] != ' ' && mark[1] != '\t'))
    return std::nullopt;
  std::string_view text = trimmed(mark.substr(1));
  if (text.starts_with("[ ] ") || text.starts_with("[x] ") || text.starts_with("[X] "))
    text.remove_prefix(4);
  return text;
}

/// "## Heading ##"
std::optional<std::string_view> heading_text(std::string_view line) {
  const std::size_t level = std::min(line.find_first_not_of('#'), line.size());
  if (level < 1 || level > 6) return std::nullopt;
  std::string_view text = line.substr(level);
  if (!text.empty() && text.front() != ' ' && text.front() != '\t') return std::nullopt;
  text = trimmed(text);
  const std::size_t end = text.find_last_not_of('#');
  if (end == nowhere) return "";
  return is_space(text[end]) ? trimmed(text.substr(0, end)) : text;
}

/// The label of "[label]: address".
std::optional<std::string> defined_label(std::string_view line) {
  const std::size_t end = line.find("]:");
  if (!line.starts_with('[') || end == nowhere || end < 2 || line[1] == '^') return std::nullopt;
  if (trimmed(line.substr(end + 2)).empty()) return std::nullopt;
  return lower(collapsed(line.substr(1, end - 1)));
}

class Reader {
 public:
  explicit Reader(std::string_view markdown) : lines_(lines_of(markdown)) {
    for (const std::string_view line : lines_) {
      if (auto label = defined_label(trimmed(line))) labels_.insert(*std::move(label));
    }
  }

  Document document() && {
    front_matter();
    while (at_ < lines_.size()) read(lines_[at_++]);
    end_block();
    const auto heading = std::ranges::find(document_.blocks, "heading", &Block::kind);
    if (document_.title.empty() && heading != document_.blocks.end())
      document_.title = heading->text;
    return std::move(document_);
  }

 private:
  /// "---", lines of "key: value", "---" at the very beginning.
  void front_matter() {
    if (lines_.empty() || lines_[0] != "---") return;
    const auto end = std::find(lines_.begin() + 1, lines_.end(), "---");
    if (end == lines_.end() || lines_[1].find(':') == nowhere) return;
    for (auto line = lines_.begin() + 1; line != end; ++line) {
      if (!line->starts_with("title:")) continue;
      std::string_view title = trimmed(line->substr(6));
      const bool quoted = title.size() > 1 && title.front() == title.back() &&
                          (title[0] == '"' || title[0] == '\'');
      document_.title = quoted ? title.substr(1, title.size() - 2) : title;
    }
    at_ = static_cast<std::size_t>(end - lines_.begin()) + 1;
  }

  void read(std::string_view whole) {
    std::string_view line = unquoted(whole);
    const std::size_t indent = indent_of(line);
    const std::string_view text = trimmed(line);
    if (text.empty()) return end_block();
    if (indent >= code_indent && text_.empty() && !in_list_) return indented_code(line);
    if (const std::size_t size = fence_size(text); size > 0)
      return fenced_code(text.substr(0, size), indent);
    if (text.starts_with("<!--")) return comment(text);
    if (kind_ == "paragraph" && !text_.empty() && (all(text, '=', 1) || all(text, '-', 1)))
      return underline();
    if (is_rule(text)) return end_block();
    if (const auto heading = heading_text(text)) return add("heading", *heading);
    if (const auto item = item_text(text); item && may_begin_item(text)) return begin_item(*item);
    if (text_.empty() && defined_label(text)) return;
    if (text.starts_with('|')) return table_row(text);
    if (indent == 0 && text_.empty()) in_list_ = false;
    if (!text_.empty()) text_ += ' ';
    text_ += text;
  }

  /// A number in the middle of a paragraph begins a list only if it is 1: "in\n1986. That year …"
  /// does not.
  bool may_begin_item(std::string_view text) const {
    const bool in_paragraph = kind_ == "paragraph" && !text_.empty();
    return !in_paragraph || !is_digit(text[0]) || (text[0] == '1' && !is_digit(text[1]));
  }

  /// The line without the ">" of quotes.
  static std::string_view unquoted(std::string_view line) {
    while (indent_of(line) < code_indent && trimmed(line).starts_with('>')) {
      line.remove_prefix(line.find('>') + 1);
      if (line.starts_with(' ')) line.remove_prefix(1);
    }
    return line;
  }

  void indented_code(std::string_view first) {
    std::string code(outdented(first, code_indent));
    std::size_t blank = 0;  // lines that are part of the code only if more of it follows
    for (; at_ < lines_.size(); ++at_) {
      const std::string_view line = unquoted(lines_[at_]);
      if (trimmed(line).empty()) {
        ++blank;
        continue;
      }
      if (indent_of(line) < code_indent) break;
      code.append(blank + 1, '\n').append(outdented(line, code_indent));
      blank = 0;
    }
    document_.blocks.push_back({"code", std::move(code)});
  }

  void fenced_code(std::string_view fence, std::size_t indent) {
    end_block();
    std::string code;
    for (; at_ < lines_.size(); ++at_) {
      const std::string_view line = unquoted(lines_[at_]);
      if (all(trimmed(line), fence.front(), fence.size())) {
        ++at_;
        break;
      }
      code.append(outdented(line, indent)).push_back('\n');
    }
    code.erase(code.find_last_not_of(" \t\n") + 1);
    if (!code.empty()) document_.blocks.push_back({"code", std::move(code)});
  }

  /// Skips everything up to "-->".
  void comment(std::string_view text) {
    for (text.remove_prefix(4); text.find("-->") == nowhere && at_ < lines_.size(); ++at_)
      text = lines_[at_];
    const std::size_t end = text.find("-->");
    if (end != nowhere) text_.append(" ").append(trimmed(text.substr(end + 3)));
  }

  void underline() {
    kind_ = "heading";
    end_block();
  }

  void begin_item(std::string_view text) {
    end_block();
    in_list_ = true;
    kind_ = "item";
    text_ = text;
  }

  /// "| a | b |" gives its cells; the row of dashes below the header gives nothing.
  void table_row(std::string_view text) {
    end_block();
    if (text.find_first_not_of("|-: \t") == nowhere) return;
    std::string cells(text);
    std::ranges::replace(cells, '|', ' ');
    add("paragraph", cells);
  }

  void add(const char* kind, std::string_view text) {
    end_block();
    kind_ = kind;
    text_ = text;
    end_block();
  }

  void end_block() {
    std::string text = collapsed(markdown_inline(text_, labels_));
    if (!text.empty()) document_.blocks.push_back({kind_, std::move(text)});
    text_.clear();
    kind_ = "paragraph";
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  LinkLabels labels_;
  Document document_;
  std::string text_;  ///< of the block being read, lines joined
  std::string kind_ = "paragraph";
  bool in_list_ = false;
};

}  // namespace

Document markdown_document(std::string_view markdown) { return Reader(markdown).document(); }

}  // namespace article
