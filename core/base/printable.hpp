#pragma once
#include <string>
#include <string_view>

namespace weir {

enum class Newlines {
  escaped,   ///< the text is one line
  indented,  ///< lines after the first begin with four blanks
  kept,
};

/// A text of a plugin or a user for a terminal or a log of lines: valid UTF-8 in which control
/// characters, with which it could move the cursor or pass for another line, are escaped as in JSON
/// (\u001b, \n), as are characters that reverse the direction of text. Bytes that are not UTF-8
/// become \xff.
std::string printable(std::string_view text, Newlines newlines = Newlines::escaped);

}  // namespace weir
