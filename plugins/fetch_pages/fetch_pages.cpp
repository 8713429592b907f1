#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/asio.hpp>
#include <weir/flow.hpp>

#include "hosts.hpp"
#include "http.hpp"
#include "retry_time.hpp"
#include "title.hpp"
#include "url.hpp"

namespace fetch_pages {

using namespace std::chrono_literals;
using boost::asio::awaitable;

struct Input {
  std::vector<std::string> urls;
  std::optional<std::int64_t> connections;  // to one host at a time, 8
  std::optional<std::int64_t> seconds;      // for one page, once its turn has come, 30
  std::optional<std::int64_t> max_bytes;    // of one page, 1 MiB
};
WEIR_JSON(Input, urls, connections, seconds, max_bytes)

/// A task of `fetch`.
struct Request {
  std::string url;
  std::int64_t connections = 0, seconds = 0, max_bytes = 0;
};
WEIR_JSON(Request, url, connections, seconds, max_bytes)

struct Page {
  std::string url;
  std::optional<std::int64_t> status;         // none: there was no answer
  std::int64_t bytes = 0;                     // of its body
  std::optional<std::string> title, went_to;  // where redirects have led
  std::optional<std::string> error;           // none: here it is
};
WEIR_JSON(Page, url, status, bytes, title, went_to, error)

struct Fetched {
  std::vector<Page> fetch;
};
WEIR_JSON(Fetched, fetch)

struct Failed {
  std::string url, error;
};
WEIR_JSON(Failed, url, error)

struct Report {
  std::int64_t pages = 0, bytes = 0;
  std::map<std::string, std::int64_t> statuses;  // "none": there was no answer
  std::vector<Failed> failed;
};
WEIR_JSON(Report, pages, bytes, statuses, failed)

constexpr std::int64_t attempts = 4;
constexpr int redirects_max = 5;

static std::int64_t checked(const char* name, std::optional<std::int64_t> given,
                            std::int64_t otherwise, std::int64_t most) {
  const std::int64_t value = given.value_or(otherwise);
  if (value < 1 || value > most)
    throw weir::permanent("bad_input", std::string(name) + " is to be from 1 to " +
                                           std::to_string(most) + ", not " + std::to_string(value));
  return value;
}

static std::vector<Request> plan(weir::Context&, Input input) {
  Request request;
  request.connections = checked("connections", input.connections, 8, 10'000);
  request.seconds = checked("seconds", input.seconds, 30, 600);
  request.max_bytes = checked("max_bytes", input.max_bytes, 1024 * 1024, 64 * 1024 * 1024);
  std::vector<Request> requests;
  requests.reserve(input.urls.size());
  for (std::string& url : input.urls) {
    if (const auto parsed = parse_url(url); !parsed)
      throw weir::permanent("bad_url", parsed.error());
    request.url = std::move(url);
    requests.push_back(request);
  }
  return requests;
}

static std::optional<std::chrono::seconds> asked_delay(const Answer& answer) {
  using namespace std::chrono;
  if (answer.status != 429 && answer.status != 503) return std::nullopt;
  const auto date = http_date(answer.date);
  return retry_time(answer.retry_after, date ? *date : floor<seconds>(system_clock::now()));
}

static bool redirects(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The first answer that is not a redirect; `page` learns what is met on the way.
static awaitable<Answer> follow(weir::Context& context, const Request& request, Page& page) {
  const auto hosts =
      context.resource<Hosts>("hosts", [] { return Hosts(weir::asio_context().get_executor()); });
  const Limits limits{std::chrono::seconds(request.seconds),
                      static_cast<std::uint64_t>(request.max_bytes)};
  auto url = parse_url(request.url);
  for (int hops = 0;; ++hops) {
    if (!url) throw Trouble(Trouble::Passes::no, "it redirects: " + url.error());
    if (hops > 0) page.went_to = url->text();
    Answer answer;
    {
      const Hosts::Turn turn = co_await hosts->turn(url->host + " " + url->port,
                                                    static_cast<std::size_t>(request.connections));
      answer = co_await get(*url, limits);
    }
    page.status = answer.status;
    if (!redirects(answer.status) || answer.location.empty()) co_return answer;
    if (hops == redirects_max)
      throw Trouble(Trouble::Passes::no,
                    "it redirects more than " + std::to_string(redirects_max) + " times");
    url = located(*url, answer.location);
  }
}

static awaitable<Page> fetch(weir::Context& context, Request request) {
  Page page;
  page.url = request.url;
  try {
    const Answer answer = co_await follow(context, request, page);
    page.bytes = static_cast<std::int64_t>(answer.body.size());
    if (answer.status < 200 || answer.status > 299)
      throw Trouble(answer.status >= 500 || answer.status == 429 || answer.status == 408
                        ? Trouble::Passes::yes
                        : Trouble::Passes::no,
                    std::to_string(answer.status) + " " + shown(answer.reason),
                    asked_delay(answer));
    if (answer.type.starts_with("text/html")) page.title = title_of(answer.body);
  } catch (const Trouble& trouble) {
    if (trouble.passes() && context.attempt() < attempts) {
      if (trouble.delay()) throw weir::retry_after(*trouble.delay(), trouble.what());
      throw;
    }
    page.error = trouble.what();
  }
  co_return page;
}

static Report report(weir::Context&, Fetched fetched) {
  Report report;
  for (Page& page : fetched.fetch) {
    report.pages += 1;
    report.bytes += page.bytes;
    report.statuses[page.status ? std::to_string(*page.status) : "none"] += 1;
    if (page.error) report.failed.push_back({std::move(page.url), *std::move(page.error)});
  }
  return report;
}

constexpr std::int64_t largest_output = 256 * 1024 * 1024;

// A page may wait for its turn long, so it is `seconds` that limits its exchange.
WEIR_FLOW(fetch_pages, "examples.FetchPages",
          step<plan>("plan").max_output(largest_output).timeout(10min),
          map<fetch>("fetch").over("plan").max_attempts(attempts).timeout(6h),
          step<report>("report").after("fetch").max_output(largest_output).timeout(10min))
WEIR_PLUGIN(fetch_pages)

}  // namespace fetch_pages
