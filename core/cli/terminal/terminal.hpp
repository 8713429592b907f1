#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace weir::cli {

/// What the other end of a stream can show. The default is a pipe or a file: plain text, as wide as
/// it gets.
struct Terminal {
  bool live = false;        ///< a person looks: lines may be drawn over, and cut
  bool colour = false;      ///< live, and neither NO_COLOR nor TERM=dumb says otherwise
  bool unicode = false;     ///< live, and the locale is UTF-8
  std::size_t columns = 0;  ///< 0: no limit

  /// Looks at a file descriptor, at the environment, and at the locale as setlocale() left it.
  static Terminal of(int fd);
};

enum class Tone { plain, strong, faint, good, busy, bad };

/// `text` in a colour, where there are colours.
std::string painted(const Terminal& terminal, Tone tone, std::string_view text);

/// `text` cut to `columns` with "…" ("..." without Unicode) at its end; 0 cuts nothing.
std::string clipped(const Terminal& terminal, std::string_view text, std::size_t columns);

}  // namespace weir::cli
