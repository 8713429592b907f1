#include "plugins/fetch_pages/hosts.hpp"

#include <atomic>
#include <chrono>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

namespace asio = boost::asio;
using fetch_pages::Hosts;

namespace {

std::atomic<int> now = 0, most = 0, done = 0;

asio::awaitable<void> asks(Hosts& hosts, std::string host, std::size_t at_most) {
  const Hosts::Turn turn = co_await hosts.turn(std::move(host), at_most);
  const int together = ++now;
  for (int before = most; together > before && !most.compare_exchange_weak(before, together);) {
  }
  for (int i = 0; i < 3; ++i)
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  --now;
  ++done;
}

asio::awaitable<void> takes(Hosts& hosts, std::string& said, std::string what) {
  const Hosts::Turn turn = co_await hosts.turn("h", 1);
  said += what;
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

}  // namespace

TEST_SUITE("fetch_pages: hosts") {
  TEST_CASE("no more than its limit ask a host at a time, and all come to their turn") {
    for (const std::size_t limit : {std::size_t{1}, std::size_t{3}}) {
      now = most = done = 0;
      asio::thread_pool pool(4);
      Hosts hosts(pool.get_executor());
      for (int i = 0; i < 500; ++i) asio::co_spawn(pool, asks(hosts, "h", limit), asio::detached);
      pool.wait();
      CHECK(done == 500);
      CHECK(most <= static_cast<int>(limit));
    }
  }

  TEST_CASE("hosts do not wait for each other, and those that nobody asks are forgotten") {
    asio::io_context context;
    Hosts hosts(context.get_executor());
    done = 0;
    for (int i = 0; i < 1'000; ++i) {
      asio::co_spawn(context, asks(hosts, std::to_string(i), 1), asio::detached);
      if (i % 10 == 0) context.run();
      context.restart();
    }
    context.run();
    CHECK(done == 1'000);
    CHECK(hosts.size() < 200);
  }

  TEST_CASE("whoever waits can be cancelled, and takes nobody's turn") {
    asio::io_context context;
    Hosts hosts(context.get_executor());
    std::string said;
    asio::cancellation_signal stop;
    asio::co_spawn(context, takes(hosts, said, "a"), asio::detached);
    bool failed = false;
    asio::co_spawn(context, takes(hosts, said, "b"),
                   asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr& thrown) {
                     failed = thrown != nullptr;
                   }));
    asio::co_spawn(context, takes(hosts, said, "c"), asio::detached);
    asio::post(context, [&] { stop.emit(asio::cancellation_type::all); });
    context.run();
    CHECK(said == "ac");
    CHECK(failed);
  }
}
