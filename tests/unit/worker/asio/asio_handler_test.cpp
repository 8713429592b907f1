// Handlers on Boost.Asio in the slots of a worker.
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <malloc.h>

#include <weir/asio.hpp>

#include "support/eventually.hpp"
#include "unit/worker/calling.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

namespace {

std::atomic<bool> in_slot = false;
awaitable<int> doubles(Context&, int n) {
  in_slot = !sdk::AsioThreads::of_library().has_this_thread();
  co_return 2 * n;
}
awaitable<int> doubles_later(Context& context, int n) {
  co_await asio_sleep(context, 1ms);
  const int doubled = co_await doubles(context, n);
  co_await asio_sleep(context, 1ms);
  co_return doubled;
}
awaitable<void> nothing(Context& context) { co_await asio_sleep(context, 1ms); }
awaitable<std::string> facts(Context& context, int) {
  co_await asio_sleep(context, 1ms);
  co_return std::string(context.run_id()) + " " + std::string(context.step()) + " " +
      std::to_string(context.attempt()) + " " + std::to_string(context.flow_input<int>());
}
awaitable<int> fails_later(Context& context, std::string how) {
  co_await asio_sleep(context, 1ms);
  if (how == "permanent") throw permanent("sold_out", "there is none");
  if (how == "retry_after") throw retry_after(7s, "later");
  if (how == "aborted")
    throw boost::system::system_error(asio::error::operation_aborted, "somebody else's");
  if (how == "no exception") throw 7;
  throw std::runtime_error("no");
}

// Sends a line to a server on loopback that gives it back.
awaitable<std::string> talks(Context&, std::string line) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::acceptor acceptor(executor, {asio::ip::address_v4::loopback(), 0});
  tcp::socket client(executor);
  using namespace asio::experimental::awaitable_operators;
  tcp::socket server = co_await (acceptor.async_accept(use_awaitable) &&
                                 client.async_connect(acceptor.local_endpoint(), use_awaitable));
  co_await asio::async_write(client, asio::buffer(line), use_awaitable);
  std::string got(line.size(), ' ');
  co_await asio::async_read(server, asio::buffer(got), use_awaitable);
  co_return got;
}

std::atomic<bool> begun = false;
awaitable<int> sleeps(Context& context) {
  begun = true;
  co_await asio_sleep(context, std::chrono::hours(24 * 365 * 1000));
  co_return 1;
}
awaitable<int> waits_for_two(Context& context) {
  begun = true;
  using namespace asio::experimental::awaitable_operators;
  co_await (asio_sleep(context, 1h) && asio_sleep(context, 2h));
  co_return 1;
}
awaitable<int> waits_for_nobody(Context&) {
  tcp::acceptor acceptor(co_await asio::this_coro::executor, {asio::ip::address_v4::loopback(), 0});
  begun = true;
  co_await acceptor.async_accept(use_awaitable);
  co_return 1;
}
// Goes on although it should stop.
awaitable<int> clears_up(Context& context) {
  begun = true;
  asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
  boost::system::error_code error;
  co_await timer.async_wait(asio::redirect_error(use_awaitable, error));
  if (error != asio::error::operation_aborted) co_return 1;
  co_await asio::this_coro::reset_cancellation_state();
  co_await asio_sleep(context, 1ms);
  co_return 2;
}
std::atomic<bool> stopped_meanwhile = false;
awaitable<int> computes_meanwhile(Context& context) {
  co_await asio_sleep(context, 1ms);
  begun = true;
  while (!context.cancelled()) std::this_thread::yield();
  stopped_meanwhile = true;
  co_await asio_sleep(context, 1h);  // the stop came before this
  co_return 1;
}

std::atomic<int> sleeping = 0;
std::atomic<bool> may_end = false;
awaitable<int> counts(Context& context, int n) {
  ++sleeping;
  while (!may_end) co_await asio_sleep(context, 5ms);
  --sleeping;
  co_return n;
}

// Many coroutines of one call, woken from everywhere.
std::atomic<int> inside = 0;
std::atomic<bool> overlapped = false;
awaitable<void> hops(asio::thread_pool& pool, int& sum) {
  for (int i = 0; i < 100; ++i) {
    co_await asio::post(pool, use_awaitable);  // resumes on the call's executor
    if (inside.fetch_add(1) != 0) overlapped = true;
    ++sum;  // not atomic
    std::this_thread::yield();
    inside.fetch_sub(1);
  }
}
awaitable<int> hops_around(Context&) {
  asio::thread_pool pool(3);
  int sum = 0;
  using namespace asio::experimental::awaitable_operators;
  co_await (hops(pool, sum) && hops(pool, sum) && hops(pool, sum) && hops(pool, sum));
  co_return sum;
}

// What the flight recorder of this thread says.
std::string recorded() {
  const auto* const seat = FlightRecorder::Seat::of_this_thread();
  return seat == nullptr || seat->attempt() == nullptr ? "nothing" : seat->attempt()->run_id;
}
awaitable<std::vector<std::string>> says_who_runs(Context& context) {
  std::vector<std::string> said;
  said.push_back(recorded());
  co_await asio_sleep(context, 1ms);
  said.push_back(recorded());
  co_await asio::post(asio_context(), use_awaitable);
  said.push_back(recorded());
  asio::thread_pool pool(1);
  co_await asio::post(pool, use_awaitable);
  said.push_back(recorded());
  co_return said;
}

// Waits for what is destroyed elsewhere instead.
struct Drops {
  template <class Handler>
  void operator()(Handler handler) const {
    std::thread([handler = std::move(handler)] {}).detach();
  }
};
awaitable<int> is_abandoned(Context&) {
  co_await asio::async_initiate<decltype(use_awaitable), void()>(Drops(), use_awaitable);
  co_return 1;
}

std::atomic<std::thread::id> released_by;
struct Tracked {
  Tracked() = default;
  Tracked(Tracked&& other) noexcept : counts(std::exchange(other.counts, false)) {}
  Tracked& operator=(Tracked&&) = delete;
  ~Tracked() {
    if (counts) released_by = std::this_thread::get_id();
  }
  bool counts = true;
};
awaitable<bool> keeps_its_resource(Context& context) {
  const auto resource = context.resource<Tracked>("r", [] { return Tracked(); });
  resource.discard();  // only this call has it now
  co_await asio_sleep(context, 1ms);
  co_return resource->counts;
}

// One that all calls share: it lets one of them through at a time.
using Turnstile = asio::experimental::concurrent_channel<void(boost::system::error_code)>;
std::atomic<int> through = 0;
std::atomic<int> most_through = 0;
awaitable<int> takes_turns(Context& context) {
  const auto turnstile = context.resource<std::unique_ptr<Turnstile>>(
      "turnstile", [] { return std::make_unique<Turnstile>(asio_context(), 2); });
  co_await (*turnstile)->async_send({}, use_awaitable);
  if (const int now = ++through; now > most_through) most_through = now;
  co_await asio::post(asio_context(), use_awaitable);
  --through;
  (*turnstile)->try_receive([](auto...) {});
  co_return 1;
}

template <auto handler>
constexpr decltype(weir_step::run) code = sdk::run_of<handler>;

}  // namespace

TEST_SUITE("worker: handlers on Boost.Asio") {
  TEST_CASE("A6: a handler on Boost.Asio returns its value now or later") {
    each_way(code<doubles>, [](Calling& calling) { CHECK(calling.output("4") == "8"); });
    each_way(code<doubles_later>, [](Calling& calling) { CHECK(calling.output("4") == "8"); });
    each_way(code<nothing>, [](Calling& calling) { CHECK(calling.output() == "null"); });
    each_way(code<talks>, [](Calling& calling) { CHECK(calling.output("\"ho\"") == "\"ho\""); });
  }

  TEST_CASE("A6: a handler on Boost.Asio begins in its slot") {
    each_way(code<doubles>, [](Calling& calling) {
      in_slot = false;
      calling.output("1");
      CHECK(in_slot);
    });
  }

  TEST_CASE("A6: what a handler on Boost.Asio throws means the same as in any other handler") {
    each_way(code<fails_later>, [](Calling& calling) {
      AttemptResult result = calling.result("\"permanent\"");
      CHECK(result.outcome == Outcome::failed_for_good);
      CHECK(result.error_code == "sold_out");
      result = calling.result("\"retry_after\"");
      CHECK(result.outcome == Outcome::failed);
      CHECK(result.retry_after == 7s);
      result = calling.result("\"other\"");
      CHECK(result.error_code == "exception");
      CHECK(result.error == "no");
      CHECK(calling.result("\"no exception\"").error_code == "unknown_exception");
      CHECK(calling.result("[]").error_code == "bad_input");
    });
  }

  TEST_CASE("A6: an aborted operation of a call that was not told to stop is an ordinary failure") {
    each_way(code<fails_later>, [](Calling& calling) {
      const AttemptResult result = calling.result("\"aborted\"");
      CHECK(result.error_code == "exception");
      CHECK(result.error.contains("somebody else's"));
    });
  }

  TEST_CASE("A6: a context gives the same after a wait on Boost.Asio") {
    each_way(code<facts>,
             [](Calling& calling) { CHECK(calling.output("9") == R"("run-7 s 2 9")"); });
  }

  TEST_CASE("A6: what it has acquired lives as long as it, also on Boost.Asio") {
    Calling calling(code<keeps_its_resource>);
    CHECK(calling.output() == "true");
    CHECK(released_by.load() == std::this_thread::get_id());
  }

  TEST_CASE("F4: the operation that a handler waits for is cancelled when the work should stop") {
    for (const auto run :
         {code<sleeps>, code<waits_for_two>, code<waits_for_nobody>, code<computes_meanwhile>})
      each_way(run, [](Calling& calling) {
        begun = false;
        const auto attempt = calling.start();
        REQUIRE(eventually([&] { return begun.load(); }));
        attempt->stop.cancel();
        const auto stopped = calling.finished(1).front();
        CHECK(stopped->result.error == "the step stopped as if it had been cancelled");
      });
    CHECK(stopped_meanwhile);
  }

  TEST_CASE("F4: a handler that was cancelled may go on, as Asio allows") {
    each_way(code<clears_up>, [](Calling& calling) {
      begun = false;
      const auto attempt = calling.start();
      REQUIRE(eventually([&] { return begun.load(); }));
      attempt->stop.cancel();
      CHECK(calling.finished(1).front()->result.output.value().text() == "2");
    });
  }

  TEST_CASE("A1: a thousand handlers on Boost.Asio wait at once beside one slot") {
    Calling calling(code<counts>);
    constexpr std::size_t count = 1'000;
    sleeping = 0;
    may_end = false;
    for (std::size_t i = 0; i < count; ++i) calling.start(std::to_string(i).c_str());
    CHECK(eventually([] { return sleeping == 1'000; }));
    may_end = true;
    CHECK(calling.finished(count).size() == count);
    CHECK(sleeping == 0);
  }

#ifndef WEIR_BUILT_WITH_SANITIZERS  // they look for leaks themselves
  TEST_CASE("A6: a call on Boost.Asio that has ended leaves nothing behind") {
    each_way(code<doubles>, [](Calling& calling) {
      constexpr std::size_t count = 5'000;
      const auto calls = [&] {
        for (std::size_t i = 0; i < count; ++i) calling.start("1");
        CHECK(calling.finished(count).size() == count);
      };
      calls();
      const std::size_t before = ::mallinfo2().uordblks;
      calls();
      CHECK(::mallinfo2().uordblks < before + count * 200);  // what a call has is more than that
    });
  }
#endif

  TEST_CASE("A4: handlers on Boost.Asio beyond what may be deferred wait in their slots") {
    Calling calling(code<counts>, 2, 3);
    sleeping = 0;
    may_end = false;
    for (int i = 0; i < 8; ++i) calling.start("1");
    CHECK(eventually([] { return sleeping == 5; }));  // two without a slot
    may_end = true;
    CHECK(calling.finished(8).size() == 8);
  }

  TEST_CASE("A6: what runs on the executor of one call never runs beside itself") {
    each_way(code<hops_around>, [](Calling& calling) { CHECK(calling.output() == "400"); });
    CHECK_FALSE(overlapped);
  }

  TEST_CASE("F1: whatever resumes a handler on Boost.Asio, its own attempt is recorded") {
    auto made = FlightRecorder::make(32);
    REQUIRE(made);
    const auto recorder = std::make_shared<FlightRecorder>(*std::move(made));
    for (const std::size_t deferred : {std::size_t{1'000}, std::size_t{0}}) {
      CAPTURE(deferred);
      Calling calling(code<says_who_runs>, deferred, 1, recorder);
      CHECK(calling.output() == R"(["run-7","run-7","run-7","run-7"])");
    }
  }

  TEST_CASE("A5: a call whose coroutine nothing can resume any more fails and is completed") {
    each_way(code<is_abandoned>, [](Calling& calling) {
      const AttemptResult result = calling.result();
      CHECK(result.outcome == Outcome::failed);
      CHECK(result.error_code == "abandoned");
    });
  }

  TEST_CASE("A1: calls share what belongs to no call, and wait for it without a slot") {
    Calling calling(code<takes_turns>);
    constexpr std::size_t count = 300;
    most_through = 0;
    for (std::size_t i = 0; i < count; ++i) calling.start();
    CHECK(calling.finished(count).size() == count);
    CHECK(most_through <= 2);
  }
}
