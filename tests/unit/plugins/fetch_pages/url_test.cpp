#include "plugins/fetch_pages/url.hpp"

#include <string>

#include <doctest/doctest.h>

using fetch_pages::located;
using fetch_pages::parse_url;
using fetch_pages::Url;

namespace {

std::string read(const char* text) {
  const auto url = parse_url(text);
  return url ? url->text() : "refused: " + url.error();
}
std::string from(const char* base, const char* location) {
  const auto url = located(parse_url(base).value(), location);
  return url ? url->text() : "refused: " + url.error();
}

}  // namespace

TEST_SUITE("fetch_pages: URLs") {
  TEST_CASE("a URL has a host, a port and a target") {
    CHECK(parse_url("HTTP://example.org/a/b?c=d/e#f").value() ==
          Url{"example.org", "80", "/a/b?c=d/e"});
    CHECK(parse_url("http://127.0.0.1:8080").value() == Url{"127.0.0.1", "8080", "/"});
    CHECK(parse_url("http://[::1]:81/x").value() == Url{"::1", "81", "/x"});
    CHECK(read("http://[::1]:80?q") == "http://[::1]/?q");
    CHECK(read("http://h:/x") == "http://h/x");
  }

  TEST_CASE("https is refused with the reason") {
    CHECK(read("https://example.org/") ==
          "refused: \"https://example.org/\" is https, which this flow cannot fetch: it is built "
          "without TLS");
  }

  TEST_CASE("what no server should be sent is refused") {
    for (const char* text : {"",
                             "/a",
                             "example.org",
                             "ftp://h/",
                             "http:/h",
                             "http:h",
                             "http://",
                             "http:///a",
                             "http://h:0/",
                             "http://h:65536/",
                             "http://h:x/",
                             "http://[::1/",
                             "http://[::1]x/",
                             "http://a b/",
                             "http://h/a b",
                             "http://h/a\r\nX: y",
                             "http://h/\xc3\xa4",
                             "http://u@h/",
                             "http://h\\@g/",
                             "http://h%2f/"}) {
      CAPTURE(text);
      CHECK(read(text).starts_with("refused: "));
    }
    CHECK(read(("http://h/" + std::string(9'000, 'a')).c_str()).contains("longer than 8 KiB"));
    CHECK(read("http://h/\xff\n").contains("\"http://h/??\""));
  }

  TEST_CASE("a Location is absolute or relative to the page that sends it") {
    const char* const base = "http://h:81/a/b/c?q=/x";
    CHECK(from(base, "http://g/d") == "http://g/d");
    CHECK(from(base, "//g/d") == "http://g/d");
    CHECK(from(base, "/d?e#f") == "http://h:81/d?e");
    CHECK(from(base, "d") == "http://h:81/a/b/d");
    CHECK(from(base, "?e") == "http://h:81/a/b/c?e");
    CHECK(from(base, "./d") == "http://h:81/a/b/d");
    CHECK(from(base, "../d/./e/..") == "http://h:81/a/d/");
    CHECK(from(base, "../../../d") == "http://h:81/d");
    CHECK(from(base, "#f") == "http://h:81/a/b/c?q=/x");
    CHECK(from(base, "https://h/").contains("without TLS"));
    CHECK(from(base, "mailto:ada").starts_with("refused: "));
  }
}
