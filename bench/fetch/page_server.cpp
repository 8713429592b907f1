// A web server on loopback for bench/fetch/run: bench_page_server PAGES DELAY_MS. It prints its port and
// then answers each GET /N with a page of a kilobyte, so many milliseconds later; /counts has how often
// each page was fetched, one number a line, and /restart sets them to 0.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;

std::size_t number_of(std::string_view text) {
  std::size_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  return text.empty() || end != text.data() + text.size() ? std::string_view::npos : number;
}

class Server {
 public:
  Server(asio::io_context& context, std::size_t pages, std::chrono::milliseconds delay)
      : acceptor_(context), delay_(delay), counts_(pages) {
    acceptor_.open(tcp::v4());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind({asio::ip::address_v4::loopback(), 0});
    acceptor_.listen(4096);
  }

  unsigned port() const { return acceptor_.local_endpoint().port(); }

  asio::awaitable<void> accept() {
    for (;;) {
      tcp::socket socket = co_await acceptor_.async_accept(use_awaitable);
      asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), asio::detached);
    }
  }

 private:
  asio::awaitable<void> serve(tcp::socket socket) {
    std::string request;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(request, 16 * 1024), "\r\n\r\n",
                                    use_awaitable);
    const std::string_view line = std::string_view(request).substr(0, request.find('\r'));
    constexpr std::size_t method = std::string_view("GET /").size();
    const std::string_view rest = line.substr(std::min(method, line.size()));
    const std::string_view page = rest.substr(0, rest.find(' '));
    std::string status = "200 OK", body;
    if (page == "counts") {
      for (const int count : counts_) body += std::to_string(count) + "\n";
    } else if (page == "restart") {
      std::ranges::fill(counts_, 0);
    } else if (const std::size_t number = number_of(page); number < counts_.size()) {
      ++counts_[number];
      asio::steady_timer timer(socket.get_executor(), delay_);
      co_await timer.async_wait(use_awaitable);
      body = "<title>Page " + std::string(page) + "</title>" + std::string(1'000, '.');
    } else {
      status = "404 Not Found";
    }
    const std::string answer = "HTTP/1.1 " + status +
                               "\r\nContent-Type: text/html\r\nConnection: close\r\n"
                               "Content-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body;
    co_await asio::async_write(socket, asio::buffer(answer), use_awaitable);
  }

  tcp::acceptor acceptor_;
  const std::chrono::milliseconds delay_;
  std::vector<int> counts_;
};

}  // namespace

int main(int count, char** arguments) try {
  const std::size_t pages = count == 3 ? number_of(arguments[1]) : std::string_view::npos;
  const std::size_t delay = count == 3 ? number_of(arguments[2]) : std::string_view::npos;
  if (pages > 10'000'000 || delay > 60'000) {
    std::fputs("usage: bench_page_server PAGES DELAY_MS\n", stderr);
    return EXIT_FAILURE;
  }
  asio::io_context context(1);
  Server server(context, pages, std::chrono::milliseconds(delay));
  asio::co_spawn(context, server.accept(), asio::detached);
  std::printf("%u\n", server.port());
  std::fflush(stdout);
  context.run();
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_page_server: %s\n", error.what());
  return EXIT_FAILURE;
}
