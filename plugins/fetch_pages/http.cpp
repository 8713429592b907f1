#include "http.hpp"

#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace fetch_pages {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;

// Without a thread where there is no name to look up.
asio::awaitable<std::vector<tcp::endpoint>> endpoints_of(const Url& url) {
  boost::system::error_code not_an_address;
  const auto address = asio::ip::make_address(url.host, not_an_address);
  const auto port = static_cast<std::uint16_t>(std::stoi(url.port));
  std::vector<tcp::endpoint> found;
  if (!not_an_address) {
    found.emplace_back(address, port);
    co_return found;
  }
  tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto results = co_await resolver.async_resolve(url.host, url.port, use_awaitable);
  for (const auto& each : results) found.push_back(each.endpoint());
  co_return found;
}

Answer answer_of(http::response<http::string_body> response) {
  const auto field = [&](http::field name) { return std::string(response[name]); };
  Answer answer;
  answer.status = static_cast<int>(response.result_int());
  answer.reason = std::string(response.reason());
  answer.type = field(http::field::content_type);
  answer.location = field(http::field::location);
  answer.retry_after = field(http::field::retry_after);
  answer.date = field(http::field::date);
  answer.body = std::move(response.body());
  return answer;
}

asio::awaitable<Answer> exchange(const Url& url, const Limits& limits) {
  const auto deadline = std::chrono::steady_clock::now() + limits.time;
  const std::vector<tcp::endpoint> endpoints = co_await endpoints_of(url);
  beast::tcp_stream stream(co_await asio::this_coro::executor);
  stream.expires_at(deadline);  // of all that follows
  co_await stream.async_connect(endpoints, use_awaitable);

  http::request<http::empty_body> request(http::verb::get, url.target, 11);
  request.set(http::field::host, url.authority());
  request.set(http::field::user_agent, "weir-fetch-pages/1");
  request.set(http::field::accept_encoding, "identity");
  request.set(http::field::connection, "close");
  co_await http::async_write(stream, request, use_awaitable);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(limits.body);
  co_await http::async_read(stream, buffer, parser, use_awaitable);
  co_return answer_of(parser.release());
}

Trouble trouble(const Url& url, const Limits& limits, const boost::system::error_code& error) {
  using Passes = Trouble::Passes;
  if (error == http::error::body_limit)
    return {Passes::no, "it is larger than " + std::to_string(limits.body) + " bytes"};
  if (error == beast::error::timeout)
    return {Passes::yes, url.authority() + " has not answered within " +
                             std::to_string(limits.time.count()) + " ms"};
  return {Passes::yes, url.authority() + ": " + error.message()};
}

}  // namespace

asio::awaitable<Answer> get(Url url, Limits limits) {
  try {
    co_return co_await exchange(url, limits);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;  // the attempt is to stop
    throw trouble(url, limits, error.code());
  }
}

}  // namespace fetch_pages
