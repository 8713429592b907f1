#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

/// A stretch of a text, in bytes.
struct TextSpan {
  std::size_t offset = 0;
  std::size_t bytes = 0;
  friend bool operator==(const TextSpan&, const TextSpan&) = default;
};

/// A named text that messages point into: a configuration file, an input given by hand. Immutable.
/// [any thread]
class SourceText {
 public:
  static constexpr std::size_t shown_columns_max = 100;

  SourceText(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}

  const std::string& name() const noexcept { return name_; }
  std::string_view text() const noexcept { return text_; }

  /// Line of a byte, from 1.
  std::size_t line(std::size_t offset) const noexcept;

  /// "flows.yaml:12:18": the position with which pointed() begins.
  std::string place(TextSpan where) const;

  /// The message, the line it is about, and a caret with tildes under the stretch; no newline at
  /// the end:
  ///
  ///     flows.yaml:3:10: error: lease: expected a duration such as "500ms" or "2s", got "fast"
  ///        lease: fast
  ///               ^~~~
  ///
  /// Line and column count from 1, the column in characters. Of a long line only the part around
  /// the caret is shown, with "…" where it was cut; tabs keep their place, other control characters
  /// become U+FFFD.
  std::string pointed(TextSpan where, std::string_view severity, std::string_view message) const;

 private:
  std::size_t begin_of_line(std::size_t offset) const noexcept;

  std::string name_;
  std::string text_;
};

}  // namespace weir
