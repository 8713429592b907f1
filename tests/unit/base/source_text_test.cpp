#include "base/source_text.hpp"

#include <string>

#include <doctest/doctest.h>

#include "base/display_width.hpp"

using namespace weir;

TEST_SUITE_BEGIN("base: source text");

TEST_CASE("a message shows its line with a caret and tildes under the stretch") {
  const SourceText source("flows.yaml", "worker:\n  poll_interval: fast\n");
  CHECK(source.pointed({25, 4}, "error", "poll_interval: expected a duration") ==
        "flows.yaml:2:18: error: poll_interval: expected a duration\n"
        "   poll_interval: fast\n"
        "                  ^~~~");
}

TEST_CASE("a place is what a message at it begins with") {
  const SourceText source("flows.yaml", "worker:\n  poll_interval: fast\n");
  CHECK(source.place({25, 4}) == "flows.yaml:2:18");
  CHECK(source.place({0, 6}) == "flows.yaml:1:1");
  CHECK(source.place({99, 1}) == "flows.yaml:3:1");
}

TEST_CASE("a stretch of nothing and the end of the text still have a caret") {
  const SourceText source("input", "{\"a\": ");
  CHECK(source.pointed({6, 0}, "error", "ends") == "input:1:7: error: ends\n {\"a\": \n       ^");
  CHECK(source.pointed({99, 5}, "error", "ends") == "input:1:7: error: ends\n {\"a\": \n       ^");
  CHECK(SourceText("input", "").pointed({0, 0}, "error", "empty") ==
        "input:1:1: error: empty\n \n ^");
}

TEST_CASE("a stretch over several lines is marked in its first") {
  CHECK(SourceText("x", "ab\r\ncd").pointed({1, 4}, "note", "here") ==
        "x:1:2: note: here\n ab\n  ^");
}

TEST_CASE("columns count characters and the caret stands below the right one") {
  const SourceText source("x", "é日本e\u0301 = 1");
  CHECK(source.pointed({source.text().find('1'), 1}, "error", "one") ==
        "x:1:9: error: one\n é日本e\u0301 = 1\n          ^");
}

TEST_CASE("a stretch that ends inside a character has the whole of it") {
  const SourceText source("x", "é\n");
  CHECK(source.pointed({0, 1}, "error", "m") == "x:1:1: error: m\n é\n ^");
  const SourceText longer("x", "aé = 1");
  CHECK(longer.pointed({0, 2}, "error", "m") == "x:1:1: error: m\n aé = 1\n ^~");
}

TEST_CASE("tabs keep their place and control characters cannot steer a terminal") {
  CHECK(SourceText("x", "\ta\t\x1b[31mb").pointed({8, 1}, "error", "b") ==
        "x:1:9: error: b\n \ta\t\uFFFD[31mb\n \t \t     ^");
}

TEST_CASE("of a long line the part around the caret is shown") {
  const std::string line = std::string(300, 'a') + "HERE" + std::string(300, 'b');
  CHECK(SourceText("x", line).pointed({300, 4}, "error", "m") ==
        "x:1:301: error: m\n …" + std::string(33, 'a') + "HERE" + std::string(62, 'b') + "…\n  " +
            std::string(33, ' ') + "^~~~");
  CHECK(SourceText("x", line).pointed({2, 1}, "error", "m") ==
        "x:1:3: error: m\n " + std::string(66 + 2, 'a') + "…\n   ^");
}

TEST_CASE("width is counted in the cells of a terminal") {
  CHECK(display_width("") == 0);
  CHECK(display_width("abc") == 3);
  CHECK(display_width("ümläut") == 6);
  CHECK(display_width("日本語") == 6);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("\U0001F600") == 2);
  CHECK(display_width("│└▶…") == 4);
}
