#include "page_server.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>

namespace weir::testing {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;

std::string page(const std::string& status, const std::string& fields, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

PageServer::PageServer(std::function<Reply(const std::string&, int)> reply)
    : reply_(std::move(reply)),
      acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
  asio::co_spawn(context_, accept(), asio::detached);
  thread_ = std::thread([this] { context_.run(); });
}

PageServer::~PageServer() {
  context_.stop();
  thread_.join();
}

std::string PageServer::url(const std::string& target) const {
  return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + target;
}

int PageServer::count(const std::string& target) const {
  const std::scoped_lock lock(mutex_);
  const auto found = counts_.find(target);
  return found == counts_.end() ? 0 : found->second;
}

std::string PageServer::host_of(const std::string& target) const {
  const std::scoped_lock lock(mutex_);
  return hosts_.at(target);
}

int PageServer::hanging() const {
  const std::scoped_lock lock(mutex_);
  return hanging_;
}

asio::awaitable<void> PageServer::accept() {
  for (;;) {
    tcp::socket socket = co_await acceptor_.async_accept(use_awaitable);
    asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> PageServer::serve(tcp::socket socket) {
  boost::beast::flat_buffer buffer;
  http::request<http::empty_body> request;
  co_await http::async_read(socket, buffer, request, use_awaitable);
  const std::string target(request.target());
  int nth = 0;
  {
    const std::scoped_lock lock(mutex_);
    nth = ++counts_[target];
    hosts_[target] = std::string(request[http::field::host]);
  }
  const Reply reply = reply_(target, nth);
  const std::size_t piece = reply.slowly ? 1 : reply.bytes.size();
  for (std::size_t at = 0; at < reply.bytes.size(); at += piece)
    co_await asio::async_write(socket, asio::buffer(&reply.bytes[at], piece), use_awaitable);
  if (reply.then == Reply::Then::reset) socket.set_option(asio::socket_base::linger(true, 0));
  if (reply.then != Reply::Then::hang) co_return;
  {
    const std::scoped_lock lock(mutex_);
    ++hanging_;
  }
  char byte = 0;
  boost::system::error_code gone;  // by the other side
  co_await socket.async_read_some(asio::buffer(&byte, 1),
                                  asio::redirect_error(use_awaitable, gone));
  const std::scoped_lock lock(mutex_);
  --hanging_;
}

}  // namespace weir::testing
