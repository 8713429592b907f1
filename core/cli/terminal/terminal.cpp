#include "cli/terminal/terminal.hpp"

#include <cstdlib>

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/display_width.hpp"
#include "base/utf8.hpp"

namespace weir::cli {
namespace {

constexpr std::size_t usual_columns = 80;

bool set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// The escape sequence before a text (ECMA-48, select graphic rendition).
std::string_view rendition(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::strong:
      return "\x1b[1m";
    case Tone::faint:
      return "\x1b[2m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::busy:
      return "\x1b[36m";
    case Tone::bad:
      return "\x1b[31m";
  }
  return "";
}
constexpr std::string_view plain_rendition = "\x1b[0m";

}  // namespace

Terminal Terminal::of(int fd) {
  Terminal terminal;
  if (::isatty(fd) == 0) return terminal;
  const char* const kind = std::getenv("TERM");
  terminal.live = kind == nullptr || std::string_view(kind) != "dumb";
  terminal.colour = terminal.live && !set("NO_COLOR");
  terminal.unicode = std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
  winsize size{};
  terminal.columns =
      ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual_columns;
  return terminal;
}

std::string painted(const Terminal& terminal, Tone tone, std::string_view text) {
  if (!terminal.colour || tone == Tone::plain || text.empty()) return std::string(text);
  return std::string(rendition(tone)).append(text).append(plain_rendition);
}

std::string clipped(const Terminal& terminal, std::string_view text, std::size_t columns) {
  if (columns == 0 || display_width(text) <= columns) return std::string(text);
  const std::string_view mark = terminal.unicode ? "…" : "...";
  const std::size_t room = columns > display_width(mark) ? columns - display_width(mark) : 0;
  std::size_t end = 0;
  for (std::size_t next = 0; next < text.size();) {
    ++next;
    while (next < text.size() && continues_character(text[next])) ++next;
    if (display_width(text.substr(0, next)) > room) break;
    end = next;
  }
  return std::string(text.substr(0, end)).append(mark);
}

}  // namespace weir::cli
