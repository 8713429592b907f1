#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace weir::cli {

/// What the other end of a stream can show. The default is a pipe or a file: plain text of any
/// width.
struct Terminal {
  bool live = false;        ///< a terminal: lines may be redrawn, and cut
  bool colour = false;      ///< live, and neither NO_COLOR nor TERM=dumb is set
  bool unicode = false;     ///< live, and the locale is UTF-8
  std::size_t columns = 0;  ///< 0: no limit

  /// Determines it from a file descriptor, the environment, and the locale set with setlocale().
  static Terminal of(int fd);
};

enum class Tone { plain, strong, faint, good, busy, bad };

/// `text` in a colour, if the terminal has colours.
std::string painted(const Terminal& terminal, Tone tone, std::string_view text);

/// `text` cut to `columns` with "…" ("..." without Unicode) at its end; 0 cuts nothing.
std::string clipped(const Terminal& terminal, std::string_view text, std::size_t columns);

}  // namespace weir::cli
