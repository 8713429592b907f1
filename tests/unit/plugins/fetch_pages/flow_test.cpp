// The flow against a server on loopback.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <weir/testing/flow_runner.hpp>

#include "page_server.hpp"

using namespace std::chrono_literals;
using weir::testing::FinishedRun;
using weir::testing::FlowRunner;
using weir::testing::page;
using weir::testing::PageServer;
using weir::testing::Reply;
using Then = weir::testing::Reply::Then;

namespace {

Reply html(const std::string& body) {
  return {page("200 OK", "Content-Type: text/html\r\n", body)};
}
Reply redirect(const std::string& location) {
  return {page("302 Found", "Location: " + location + "\r\n", "")};
}

Reply reply(const std::string& target, int nth) {
  if (target == "/missing") return {page("404 Not Found", "", "no")};
  if (target == "/odd") return {page("418 I'm \xff", "", "")};
  if (target == "/slow") return {.bytes = html("<title>Slow</title>").bytes, .slowly = true};
  if (target == "/half") return {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"};
  if (target == "/half-head") return {.bytes = "HTTP/1.1 200 OK\r\nContent-Le"};
  if (target == "/silent") return {};
  if (target == "/reset") return {.bytes = {}, .then = Then::reset};
  if (target == "/reset-once" && nth == 1) return {.bytes = {}, .then = Then::reset};
  if (target == "/garbage") return {.bytes = "SSH-2.0-OpenSSH\r\n\r\n"};
  if (target == "/hang") return {.bytes = {}, .then = Then::hang};
  if (target == "/hang-half")
    return {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", .then = Then::hang};
  if (target == "/large") return html(std::string(2'000, 'x'));
  if (target == "/endless")
    return {.bytes = "HTTP/1.1 200 OK\r\n\r\n" + std::string(2'000, 'x'), .then = Then::hang};
  if (target == "/limited" && nth == 1)
    return {page("429 Too Many Requests", "Retry-After: 70\r\n", "")};
  if (target == "/later" && nth == 1)
    return {page("503 Service Unavailable",
                 "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                 "Retry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n",
                 "")};
  if (target == "/much-later" && nth == 1)
    return {page("503 Service Unavailable", "Retry-After: 86400\r\n", "")};
  if (target == "/busy") return {page("503 Service Unavailable", "", "")};
  if (target == "/moved/here") return redirect("../found?it#there");
  if (target == "/loop") return redirect("/loop");
  if (target == "/secure") return redirect("https://127.0.0.1/");
  if (target == "/odd-location") return redirect("/\xff");
  return html("<html><title> A   page </title></html>");
}

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

struct Fetching {
  PageServer server{reply};
  FlowRunner runner{weir_plugin_v1};

  FinishedRun run(const std::vector<std::string>& targets, const std::string& settings = "") {
    std::string input;
    for (const std::string& target : targets)
      input += (input.empty() ? "\"" : ",\"") + server.url(target) + "\"";
    return runner.run("{\"urls\":[" + input + "]" + settings + "}");
  }
  // Of the only page.
  boost::json::object fetched(const std::string& target, const std::string& settings = "") {
    const FinishedRun run = this->run({target}, settings);
    CHECK_MESSAGE(run.completed(), run.error());
    return boost::json::parse(run.attempts("fetch").back().output).as_object();
  }
  std::string error(const std::string& target, const std::string& settings = "") {
    return text(fetched(target, settings).at("error"));
  }
};

}  // namespace

TEST_SUITE("fetch_pages: the flow") {
  TEST_CASE("a page is fetched with its status, size and title") {
    Fetching fetching;
    const boost::json::object page = fetching.fetched("/a?b");
    CHECK(page.at("status") == 200);
    CHECK(page.at("bytes") == 38);
    CHECK(page.at("title") == "A page");
    CHECK(page.at("error").is_null());
    CHECK("http://" + fetching.server.host_of("/a?b") + "/a?b" == fetching.server.url("/a?b"));
    CHECK(fetching.fetched("/slow").at("title") == "Slow");
  }

  TEST_CASE("a page that is not there is a result, without another attempt") {
    Fetching fetching;
    const boost::json::object page = fetching.fetched("/missing");
    CHECK(page.at("status") == 404);
    CHECK(page.at("error") == "404 Not Found");
    CHECK(fetching.server.count("/missing") == 1);
    CHECK(fetching.error("/odd") == "418 I'm ?");
  }

  TEST_CASE("F3: 429 and 503 are tried again when the server says") {
    Fetching fetching;
    for (const auto& [target, wait] : {std::pair("/limited", 70s), std::pair("/later", 120s),
                                       std::pair("/much-later", 3'600s)}) {
      CAPTURE(target);
      const FinishedRun run = fetching.run({target});
      REQUIRE(run.attempts("fetch").size() == 2);
      CHECK(run.attempts("fetch").front().error_code == "retry_after");
      CHECK(run.attempts("fetch").back().waited == wait);
      CHECK(run.output().contains(R"("statuses":{"200":1})"));
    }
  }

  TEST_CASE("a server that stays busy is a result after the last attempt") {
    Fetching fetching;
    CHECK(fetching.error("/busy") == "503 Service Unavailable");
    CHECK(fetching.server.count("/busy") == 4);
  }

  TEST_CASE("a broken answer is tried again, and a result after the last attempt") {
    Fetching fetching;
    for (const char* target : {"/half", "/half-head", "/silent", "/reset", "/garbage"}) {
      CAPTURE(target);
      const boost::json::object page = fetching.fetched(target);
      CHECK(page.at("status").is_null());
      CHECK(page.at("error").as_string().starts_with("127.0.0.1:"));
      CHECK(fetching.server.count(target) == 4);
    }
    CHECK(fetching.fetched("/reset-once").at("status") == 200);
    CHECK(fetching.server.count("/reset-once") == 2);
  }

  TEST_CASE("a server that is not there is a result") {
    Fetching fetching;
    std::string url;
    {
      const PageServer gone(reply);
      url = gone.url("/");
    }
    const FinishedRun run = fetching.runner.run("{\"urls\":[\"" + url + "\"]}");
    CHECK(run.completed());
    CHECK(run.output().contains("Connection refused"));
    CHECK(run.output().contains(R"("statuses":{"none":1})"));
  }

  TEST_CASE("a name that no host can have is a result") {
    Fetching fetching;
    const FinishedRun run =
        fetching.runner.run("{\"urls\":[\"http://" + std::string(70, 'a') + "..b/\"]}");
    CHECK(run.completed());
    CHECK(run.attempts("fetch").size() == 4);
    CHECK(run.output().contains(R"("statuses":{"none":1})"));
  }

  TEST_CASE("a page that is too large is a result, and its rest is not read") {
    Fetching fetching;
    for (const char* target : {"/large", "/endless"}) {
      CHECK(fetching.error(target, ",\"max_bytes\":1000") == "it is larger than 1000 bytes");
      CHECK(fetching.server.count(target) == 1);
    }
    CHECK(fetching.fetched("/large", ",\"max_bytes\":2000").at("bytes") == 2'000);
  }

  TEST_CASE("a page that hangs is given up after its seconds") {
    Fetching fetching;
    for (const char* target : {"/hang", "/hang-half"}) {
      CHECK(fetching.error(target, ",\"seconds\":1").ends_with(" has not answered within 1000 ms"));
      CHECK(fetching.server.count(target) == 4);
    }
  }

  TEST_CASE("F4: a timeout ends the wait for a page that hangs") {
    Fetching fetching;
    fetching.runner.timeout("fetch", 50ms);
    for (const char* target : {"/hang", "/hang-half"}) {
      const FinishedRun run = fetching.run({target}, ",\"seconds\":600");
      CHECK(run.status() == "failed");
      REQUIRE(run.attempts("fetch").size() == 4);
      for (const auto& attempt : run.attempts("fetch")) CHECK(attempt.outcome == "timed_out");
    }
  }

  TEST_CASE("redirects are followed, five at most, and not to https") {
    Fetching fetching;
    const boost::json::object page = fetching.fetched("/moved/here");
    CHECK(page.at("status") == 200);
    CHECK(text(page.at("went_to")) == fetching.server.url("/found?it"));
    CHECK(fetching.error("/loop") == "it redirects more than 5 times");
    CHECK(fetching.server.count("/loop") == 6);
    CHECK(
        fetching.error("/secure").ends_with("is https, which this flow cannot fetch: it is built "
                                            "without TLS"));
    CHECK(fetching.error("/odd-location").starts_with("it redirects: \"http://127.0.0.1:"));
  }

  TEST_CASE("the report counts all pages by status and names those that failed") {
    Fetching fetching;
    const FinishedRun run = fetching.run({"/1", "/missing", "/2", "/half"});
    REQUIRE(run.completed());
    const boost::json::value output = boost::json::parse(run.output());
    const boost::json::object& report = output.at("report").as_object();
    CHECK(report.at("pages") == 4);
    CHECK(report.at("bytes") == 78);
    CHECK(boost::json::serialize(report.at("statuses")) == R"({"200":2,"404":1,"none":1})");
    REQUIRE(report.at("failed").as_array().size() == 2);
    CHECK(text(report.at("failed").at(0).at("url")) == fetching.server.url("/missing"));
    CHECK(text(report.at("failed").at(1).at("url")) == fetching.server.url("/half"));
  }

  TEST_CASE("a list with what is no http URL fails for good before anything is fetched") {
    Fetching fetching;
    for (const char* url : {"https://example.org/", "example.org"}) {
      const FinishedRun run =
          fetching.runner.run("{\"urls\":[\"" + fetching.server.url("/a") + "\",\"" + url + "\"]}");
      CHECK(run.status() == "failed");
      CHECK(run.attempts("plan").back().error_code == "bad_url");
      CHECK(run.attempts("plan").back().error.contains(url));
    }
    CHECK(fetching.server.count("/a") == 0);
    for (const char* settings : {",\"connections\":0", ",\"seconds\":601", ",\"max_bytes\":-1"})
      CHECK(fetching.run({"/a"}, settings).attempts("plan").back().error_code == "bad_input");
    CHECK(fetching.run({}).completed());
  }
}
