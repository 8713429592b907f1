#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace weir::testing {

/// What the server does with a request.
struct Reply {
  enum class Then { close, reset, hang };
  std::string bytes = {};  ///< sent as they are
  Then then = Then::close;
  bool slowly = false;  ///< each byte by itself
};

/// A page, as HTTP.
std::string page(const std::string& status, const std::string& fields, const std::string& body);

/// A web server on loopback, on a thread of its own, which does what a test says.
class PageServer {
 public:
  /// `reply` says what becomes of the nth request for a target, counted from 1.
  explicit PageServer(std::function<Reply(const std::string& target, int nth)> reply);
  ~PageServer();

  std::string url(const std::string& target) const;
  /// How many requests there were for it.
  int count(const std::string& target) const;
  /// The Host field of the last request for it.
  std::string host_of(const std::string& target) const;
  /// How many connections hang at this moment.
  int hanging() const;

 private:
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

  const std::function<Reply(const std::string&, int)> reply_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  mutable std::mutex mutex_;
  std::map<std::string, int> counts_;
  std::map<std::string, std::string> hosts_;
  int hanging_ = 0;
  std::thread thread_;
};

}  // namespace weir::testing
