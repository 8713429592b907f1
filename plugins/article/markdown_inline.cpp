#include "markdown_inline.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "character.hpp"
#include "entities.hpp"

namespace article {
namespace {

constexpr int parentheses_max = 32;

bool is_punctuation(char c) { return c > ' ' && c < 0x7F && !is_letter(c) && !is_digit(c); }

/// Where the "(address "title")" that `text` begins with ends; nowhere when there is none.
std::size_t target_end(std::string_view text) {
  int open = 0;
  if (text.starts_with("(<")) {  // an address with spaces
    const std::size_t end = text.find_first_of("<>", 2);
    return end != nowhere && text.substr(end).starts_with(">)") ? end + 2 : nowhere;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '(' && ++open > parentheses_max) {
      return nowhere;
    } else if (text[at] == ')' && --open == 0) {
      return at + 1;
    } else if (text[at] == ' ') {  // a title follows, or the end
      const std::size_t next = text.find_first_not_of(' ', at);
      if (next == nowhere) return nowhere;
      if (text[next] == ')' || text[next] == '(') continue;
      if (at != 1 && text[next] != '"' && text[next] != '\'') return nowhere;
      if (text[next] != '"' && text[next] != '\'') continue;
      const std::size_t quote = text.find(text[next], next + 1);
      if (quote == nowhere) return nowhere;
      at = quote;
    }
  }
  return nowhere;
}

/// Reads a paragraph from left to right. Characters that turn out to be markup later ("*", "[") are
/// first output, and marked as dropped once their counterpart is found.
class Inline {
 public:
  Inline(std::string_view text, const LinkLabels& labels) : text_(text), labels_(labels) {}

  std::string plain() && {
    while (at_ < text_.size()) step();
    std::string shown;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      if (!dropped_[i]) shown.push_back(out_[i]);
    }
    return shown;
  }

 private:
  struct Run {
    std::size_t at;  ///< in out_
    std::size_t size;
  };

  void put(std::string_view text) {
    out_ += text;
    dropped_.resize(out_.size(), false);
  }
  void drop(std::size_t at, std::size_t size) {
    std::fill_n(dropped_.begin() + static_cast<std::ptrdiff_t>(at), size, true);
  }
  void pass(std::size_t size) {
    put(text_.substr(at_, size));
    at_ += size;
  }
  std::string_view rest() const { return text_.substr(at_); }

  void step() {
    switch (const char c = text_[at_]) {
      case '\\':
        if (at_ + 1 < text_.size() && is_punctuation(text_[at_ + 1])) ++at_;
        return pass(1);
      case '`':
        return code();
      case '<':
        return tag();
      case '&':
        return reference();
      case '!':
        return rest().starts_with("![") ? open_bracket(2) : pass(1);
      case '[':
        return open_bracket(1);
      case ']':
        return close_bracket();
      case '*':
      case '_':
      case '~':
        return emphasis(c);
      default:
        return pass(std::min(text_.find_first_of("\\`<&![]*_~", at_), text_.size()) - at_);
    }
  }

  void code() {
    const std::size_t size = std::min(text_.find_first_not_of('`', at_), text_.size()) - at_;
    const std::string_view fence = text_.substr(at_, size);
    const std::size_t begin = at_ + size;
    std::size_t end = unclosed_.contains(size) ? nowhere : text_.find(fence, begin);
    while (end != nowhere) {
      const std::size_t run_end = std::min(text_.find_first_not_of('`', end), text_.size());
      if (run_end - end == size) break;
      end = text_.find(fence, run_end);
    }
    if (end == nowhere) {
      unclosed_.insert(size);
      return pass(size);
    }
    std::string_view code = text_.substr(begin, end - begin);
    if (code.size() > 2 && code.starts_with(' ') && code.ends_with(' '))
      code = code.substr(1, code.size() - 2);
    put(code);
    at_ = end + size;
  }

  /// "<https://…>" gives its address, a tag gives nothing; any other "<" is text.
  void tag() {
    const char second = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
    const bool begins = is_letter(second) || second == '/' || second == '!' || second == '?';
    const std::size_t end = begins && !no_more_tags_ ? text_.find('>', at_) : nowhere;
    if (begins && end == nowhere) no_more_tags_ = true;
    if (end == nowhere) return pass(1);
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    const bool address =
        inside.find_first_of(":@") != nowhere && inside.find_first_of(" <=\"") == nowhere;
    if (address) put(inside);
    at_ = end + 1;
  }

  void reference() {
    const Reference found = first_reference(rest());
    if (found.size == 0) return pass(1);
    std::string character;
    append(character, found.code);
    put(character);
    at_ += found.size;
  }

  void open_bracket(std::size_t size) {
    brackets_.push_back({out_.size(), size, at_ + size});
    pass(size);
  }

  /// The text of a link is followed by "(address)", "[label]" or nothing; only the text is shown.
  void close_bracket() {
    if (brackets_.empty()) return pass(1);
    const Bracket open = brackets_.back();
    brackets_.pop_back();
    const std::size_t behind = at_ + 1;
    const std::string_view inside = text_.substr(open.text, at_ - open.text);
    std::size_t end = nowhere;
    if (text_.substr(behind).starts_with('(')) end = target_end(text_.substr(behind));
    if (end != nowhere) {
      end += behind;
    } else if (text_.substr(behind).starts_with('[')) {
      const std::size_t close = text_.substr(behind, label_max).find(']');
      const std::string_view label = close == nowhere ? "" : text_.substr(behind + 1, close - 1);
      if (close != nowhere && defined(label.empty() ? inside : label)) end = behind + close + 1;
    }
    if (end == nowhere && defined(inside)) end = behind;
    if (end == nowhere) return pass(1);
    drop(open.at, open.size);
    at_ = end;
  }

  bool defined(std::string_view label) const {
    return label.size() < label_max && labels_.contains(lower(collapsed(label)));
  }

  /// A run of "*", "_" or "~" opens when text follows it and closes when text comes before it.
  void emphasis(char mark) {
    const std::size_t size = std::min(text_.find_first_not_of(mark, at_), text_.size()) - at_;
    const char before = at_ == 0 ? ' ' : text_[at_ - 1];
    const char behind = at_ + size < text_.size() ? text_[at_ + size] : ' ';
    const auto in_word = [](char c) { return !is_space(c) && !is_punctuation(c); };
    const bool within = mark == '_' && in_word(before) && in_word(behind);  // snake_case
    const bool strike = mark != '~' || size == 2;
    const bool opens =
        strike && !within && !is_space(behind) && (in_word(behind) || !in_word(before));
    const bool closes =
        strike && !within && !is_space(before) && (in_word(before) || !in_word(behind));
    std::vector<Run>& open = mark == '*' ? stars_ : mark == '_' ? lines_ : waves_;
    Run run{out_.size(), size};
    pass(size);
    while (closes && run.size > 0 && !open.empty()) {
      Run& opener = open.back();
      const std::size_t shared = std::min(opener.size, run.size);
      opener.size -= shared;
      drop(opener.at + opener.size, shared);
      drop(run.at, shared);
      run = {run.at + shared, run.size - shared};
      if (opener.size == 0) open.pop_back();
    }
    if (opens && run.size > 0) open.push_back(run);
  }

  static constexpr std::size_t label_max = 1'000;

  struct Bracket {
    std::size_t at;    ///< in out_
    std::size_t size;  ///< of "[" or "!["
    std::size_t text;  ///< where the text within begins, in text_
  };

  std::string_view text_;
  const LinkLabels& labels_;
  std::size_t at_ = 0;
  std::string out_;
  std::vector<bool> dropped_;
  std::vector<Bracket> brackets_;
  std::vector<Run> stars_, lines_, waves_;
  std::set<std::size_t> unclosed_;  ///< sizes of runs of "`" of which none follows any more
  bool no_more_tags_ = false;       ///< no ">" follows any more
};

}  // namespace

std::string markdown_inline(std::string_view text, const LinkLabels& labels) {
  return Inline(text, labels).plain();
}

}  // namespace article
