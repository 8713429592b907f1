#include "cli/terminal/table.hpp"

#include <doctest/doctest.h>

#include "cli/terminal/terminal.hpp"

using namespace weir::cli;

namespace {

Table sample() {
  Table table({{"NAME"}, {"STATUS", Table::Column::whole}, {"N", Table::Column::right}, {"NOTE"}});
  table.add({{"one"}, {"ok", Tone::good}, {"7"}, {""}});
  table.add({{"日本語"}, {"broken"}, {"1234"}, {"a long remark about it"}});
  return table;
}

}  // namespace

TEST_SUITE_BEGIN("cli: tables");

TEST_CASE("columns are lined up by what a terminal shows") {
  CHECK(sample().text({}) ==
        "NAME    STATUS     N  NOTE\n"
        "one     ok         7\n"
        "日本語  broken  1234  a long remark about it\n");
}

TEST_CASE("a narrow terminal cuts the widest columns that may be cut") {
  const Terminal narrow{.live = true, .colour = false, .unicode = true, .columns = 34};
  CHECK(sample().text(narrow) ==
        "NAME    STATUS     N  NOTE\n"
        "one     ok         7\n"
        "日本語  broken  1234  a long rema…\n");
}

TEST_CASE("what may not be cut stays whole however narrow the terminal") {
  const Terminal tiny{.live = true, .colour = false, .unicode = false, .columns = 10};
  CHECK(sample().text(tiny) ==
        "NAME    STATUS     N  NOTE\n"
        "one     ok         7\n"
        "日本語  broken  1234  a lon...\n");
}

TEST_CASE("colours do not move anything") {
  const Terminal colours{.live = true, .colour = true, .unicode = true, .columns = 80};
  CHECK(sample().text(colours).contains("one     \x1b[32mok\x1b[0m         7\n"));
}

TEST_CASE("text is cut at characters and by cells") {
  const Terminal unicode{.live = true, .colour = false, .unicode = true, .columns = 80};
  CHECK(clipped(unicode, "abcdef", 0) == "abcdef");
  CHECK(clipped(unicode, "abcdef", 6) == "abcdef");
  CHECK(clipped(unicode, "abcdef", 5) == "abcd…");
  CHECK(clipped(unicode, "日本語", 5) == "日本…");
  CHECK(clipped(unicode, "日本語", 4) == "日…");
  CHECK(clipped(Terminal{}, "abcdef", 5) == "ab...");
}

TEST_CASE("without colours nothing is painted") {
  CHECK(painted(Terminal{}, Tone::bad, "x") == "x");
  CHECK(painted(Terminal{.colour = true}, Tone::plain, "x") == "x");
  CHECK(painted(Terminal{.colour = true}, Tone::bad, "x") == "\x1b[31mx\x1b[0m");
}
