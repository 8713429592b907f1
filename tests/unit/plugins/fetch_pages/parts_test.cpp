// When to come back, and what a page is called.
#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "plugins/fetch_pages/retry_time.hpp"
#include "plugins/fetch_pages/title.hpp"

using namespace std::chrono_literals;
using fetch_pages::http_date;
using fetch_pages::retry_time;
using fetch_pages::title_of;

TEST_SUITE("fetch_pages: Retry-After") {
  TEST_CASE("a date of HTTP is read, and nothing else as one") {
    CHECK(http_date("Sun, 06 Nov 1994 08:49:37 GMT") ==
          std::chrono::sys_seconds(std::chrono::seconds(784'111'777)));
    for (const char* text : {"", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
                             "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
                             "Sun, -6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"}) {
      CAPTURE(text);
      CHECK_FALSE(http_date(text).has_value());
    }
  }

  TEST_CASE("the wait is in seconds or until a date, from a second to an hour") {
    const auto now = http_date("Sun, 06 Nov 1994 08:49:37 GMT").value();
    CHECK(retry_time("7", now) == 7s);
    CHECK(retry_time("0", now) == 1s);
    CHECK(retry_time("99999", now) == 1h);
    CHECK(retry_time("99999999999999999999", now) == 1h);
    CHECK(retry_time("Sun, 06 Nov 1994 08:50:00 GMT", now) == 23s);
    CHECK(retry_time("Sun, 06 Nov 1994 08:00:00 GMT", now) == 1s);
    CHECK(retry_time("Mon, 07 Nov 1994 08:00:00 GMT", now) == 1h);
    for (const char* text : {"", "soon", "-1", "1.5", "7 "})
      CHECK_FALSE(retry_time(text, now).has_value());
  }
}

TEST_SUITE("fetch_pages: titles") {
  TEST_CASE("the title is that of the first title element, in one line") {
    CHECK(title_of("<html><HEAD><Title lang=de>\n  Grüße \t aus\nX </tItle>") == "Grüße aus X");
    CHECK(title_of("<title>a</title><title>b</title>") == "a");
  }

  TEST_CASE("a page without a whole title in UTF-8 has none") {
    for (const char* html : {"", "no", "<title", "<title>", "<title>a", "<title> </title>",
                             "<title>\xe4</title>", "<title>\xed\xa0\x80</title>"}) {
      CAPTURE(html);
      CHECK_FALSE(title_of(html).has_value());
    }
  }

  TEST_CASE("a title is cut between two characters") {
    std::string long_title = "x";
    for (int i = 0; i < 150; ++i) long_title += "ä";
    const auto title = title_of("<title>" + long_title + "</title>");
    CHECK(title == long_title.substr(0, 199));
  }
}
