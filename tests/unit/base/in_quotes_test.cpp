#include "base/in_quotes.hpp"

#include <doctest/doctest.h>

namespace weir {

TEST_SUITE("base: quoted words") {
  TEST_CASE("a word stands in quotes and what would break the line is escaped") {
    CHECK(in_quotes("fetch") == "\"fetch\"");
    CHECK(in_quotes("größe → 日本") == "\"größe → 日本\"");
    CHECK(in_quotes("a\"b\\c\n\x1B[2J") == "\"a\\\"b\\\\c\\n\\u001b[2J\"");
  }

  TEST_CASE("bytes that are no UTF-8 are replaced one by one") {
    CHECK(in_quotes("a\xFF\xC0\xAFz") == "\"a\uFFFD\uFFFD\uFFFDz\"");
    CHECK(in_quotes(std::string_view("a\0z", 3)) == "\"a\uFFFDz\"");
  }

  TEST_CASE("128 bytes are shown whole and of more the first 128") {
    CHECK(in_quotes(std::string(128, 'x')) == "\"" + std::string(128, 'x') + "\"");
    CHECK(in_quotes(std::string(129, 'x')) == "\"" + std::string(128, 'x') + "…\"");
  }

  TEST_CASE("no character is cut in two") {
    for (std::size_t before = 125; before <= 128; ++before) {
      const std::string text = std::string(before, 'x') + "\U0001F600" + std::string(200, 'y');
      CHECK(in_quotes(text) == "\"" + std::string(before, 'x') + "…\"");
    }
    CHECK(in_quotes(std::string(124, 'x') + "\U0001F600y") ==
          "\"" + std::string(124, 'x') + "\U0001F600…\"");
  }
}

}  // namespace weir
