#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace article {

/// A tag or a piece of text. Comments, declarations, attributes and the content of scripts and
/// styles are skipped.
struct HtmlToken {
  enum class Kind { text, start, end };
  Kind kind = Kind::text;
  std::string name = {};       ///< of a tag, in lower case
  std::string_view text = {};  ///< of a text, its entities unresolved
  bool closes_itself = false;  ///< a start tag that ends in "/>"
};

/// Cuts HTML into tokens, as forgiving as browsers are: a "<" that begins no tag is text, a tag may
/// continue in quotes past a ">", and what is unfinished at the end is dropped. Each byte is read a
/// bounded number of times, whatever the input.
class HtmlTokens {
 public:
  /// `html` must outlive the tokens.
  explicit HtmlTokens(std::string_view html) : rest_(html) {}

  /// The next token, nullopt at the end.
  std::optional<HtmlToken> next();

 private:
  std::optional<HtmlToken> tag(HtmlToken::Kind kind, std::size_t name_at);
  std::string_view take(std::size_t size);
  std::string_view raw_text();
  void drop_comment();

  std::string_view rest_;
  std::string raw_;  ///< the element whose text ends at its end tag only
};

}  // namespace article
