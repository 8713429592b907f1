#include "base/printable.hpp"

#include <doctest/doctest.h>

using namespace weir;

TEST_SUITE("base: printable text") {
  TEST_CASE("text of all languages is unchanged") {
    for (const char* const text : {"", "plain", "Zoë €5 日本 🙂", "a\\nb", "\"quoted\""})
      CHECK(printable(text) == text);
  }

  TEST_CASE("control characters and changes of direction are escaped") {
    CHECK(printable("a\x1b[2Jb") == "a\\u001b[2Jb");
    CHECK(printable("a\r\n\tb\x7f") == "a\\r\\n\\tb\\u007f");
    CHECK(printable(std::string("a\0b", 3)) == "a\\u0000b");
    CHECK(printable("a\u009b2Jb") == "a\\u009b2Jb");
    CHECK(printable("a\u2028b\u202eb\u2066b") == "a\\u2028b\\u202eb\\u2066b");
  }

  TEST_CASE("bytes that are not UTF-8 are escaped one by one") {
    CHECK(printable("a\xff"
                    "b\xc3") == "a\\xffb\\xc3");
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
    CHECK(printable("\xe2\x82") == "\\xe2\\x82");
    CHECK(printable("\x9b") == "\\x9b");
  }

  TEST_CASE("newlines are kept or indented where that is wanted") {
    CHECK(printable("a\nb\x1b\n", Newlines::kept) == "a\nb\\u001b\n");
    CHECK(printable("a\nb\r\nc", Newlines::indented) == "a\n    b\\r\n    c");
  }
}
