// Asynchronous handlers of the C++ SDK in the slots of a worker.
#include <atomic>
#include <coroutine>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <weir/async.hpp>

#include "support/eventually.hpp"
#include "unit/worker/calling.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

Async<int> doubles(Context&, int n) { co_return 2 * n; }
Async<int> doubles_later(Context& context, int n) {
  co_await context.sleep(1ms);
  const int doubled = co_await doubles(context, n);
  co_await context.sleep(1ms);
  co_return doubled;
}
Async<> nothing(Context& context) { co_await context.sleep(1ms); }
Async<std::string> facts(Context& context, int) {
  co_await context.sleep(1ms);
  co_return std::string(context.run_id()) + " " + std::string(context.step()) + " " +
      std::to_string(context.attempt()) + " " + std::to_string(context.flow_input<int>());
}
Async<int> fails_later(Context& context, std::string how) {
  co_await context.sleep(1ms);
  if (how == "permanent") throw permanent("sold_out", "there is none");
  if (how == "retry_after") throw retry_after(7s, "later");
  throw std::runtime_error("no");
}
Async<int> fails_below(Context& context, std::string how) {
  co_return co_await fails_later(context, std::move(how));
}
std::atomic<bool> begun = false;
Async<int> sleeps(Context& context) {
  begun = true;
  co_await context.sleep(std::chrono::hours(24 * 365 * 1000));
  co_return 1;
}
Async<int> waits_for_stop(Context& context) {
  begun = true;
  co_await context.stopped();
  co_return 3;
}
std::atomic<int> sleeping = 0;
std::atomic<bool> may_end = false;
Async<int> counts(Context& context, int n) {
  ++sleeping;
  while (!may_end) co_await context.sleep(5ms);
  --sleeping;
  co_return n;
}

// Resumes on a thread of its own.
struct Elsewhere {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) const {
    std::thread([coroutine] { coroutine.resume(); }).detach();
  }
  int await_resume() const { return 5; }
};
struct Ready {
  bool await_ready() const { return true; }
  void await_suspend(std::coroutine_handle<>) const {}
  int await_resume() const { return 6; }
};
struct Converts {
  Elsewhere operator co_await() const { return {}; }
};
Async<std::vector<int>> awaits_others(Context&) {
  const int first = co_await Ready{};
  const int second = co_await Elsewhere{};
  const int third = co_await Converts{};
  co_return std::vector{first, second, third};
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
Async<bool> keeps_its_resource(Context& context) {
  const auto resource = context.resource<Tracked>("r", [] { return Tracked(); });
  resource.discard();  // only this call has it now
  co_await context.sleep(1ms);
  co_return resource->counts;
}

template <auto handler>
constexpr decltype(weir_step::run) run_of = &sdk::run_async<handler>;

}  // namespace

TEST_SUITE("worker: asynchronous handlers") {
  TEST_CASE("A6: an asynchronous handler returns its value now or later") {
    each_way(run_of<doubles>, [](Calling& calling) { CHECK(calling.output("4") == "8"); });
    each_way(run_of<doubles_later>, [](Calling& calling) { CHECK(calling.output("4") == "8"); });
    each_way(run_of<nothing>, [](Calling& calling) { CHECK(calling.output() == "null"); });
    each_way(run_of<awaits_others>, [](Calling& calling) { CHECK(calling.output() == "[6,5,5]"); });
  }

  TEST_CASE("A6: one that does not wait is not deferred") {
    Calling calling(run_of<doubles>);
    const auto attempt = calling.start("1");
    calling.finished(1);
    CHECK(attempt->deferred == 0);
  }

  TEST_CASE("A6: what it throws means the same as in any other handler") {
    for (const auto run : {run_of<fails_later>, run_of<fails_below>})
      each_way(run, [](Calling& calling) {
        AttemptResult result = calling.result("\"permanent\"");
        CHECK(result.outcome == Outcome::failed_for_good);
        CHECK(result.error_code == "sold_out");
        result = calling.result("\"retry_after\"");
        CHECK(result.outcome == Outcome::failed);
        CHECK(result.retry_after == 7s);
        result = calling.result("\"other\"");
        CHECK(result.error_code == "exception");
        CHECK(result.error == "no");
        CHECK(calling.result("[]").error_code == "bad_input");
      });
  }

  TEST_CASE("A6: a context gives the same after a wait") {
    each_way(run_of<facts>,
             [](Calling& calling) { CHECK(calling.output("9") == R"("run-7 s 2 9")"); });
  }

  TEST_CASE("A6: what it has acquired lives as long as it, and no thread of its own releases it") {
    Calling calling(run_of<keeps_its_resource>);
    CHECK(calling.output() == "true");
    CHECK(released_by.load() == std::this_thread::get_id());
  }

  TEST_CASE("F4: a sleep ends when the work should stop") {
    each_way(run_of<sleeps>, [](Calling& calling) {
      begun = false;
      const auto attempt = calling.start();
      REQUIRE(eventually([&] { return begun.load(); }));
      attempt->stop.cancel();
      const auto stopped = calling.finished(1).front();
      CHECK(stopped->result.error == "the step stopped as if it had been cancelled");
    });
    each_way(run_of<waits_for_stop>, [](Calling& calling) {
      begun = false;
      const auto attempt = calling.start();
      REQUIRE(eventually([&] { return begun.load(); }));
      attempt->stop.cancel();
      const auto stopped = calling.finished(1).front();
      CHECK(stopped->result.output.value().text() == "3");
    });
  }

  TEST_CASE("A1: a thousand asynchronous handlers wait at once beside one slot") {
    Calling calling(run_of<counts>);
    constexpr std::size_t count = 1'000;
    sleeping = 0;
    may_end = false;
    for (std::size_t i = 0; i < count; ++i) calling.start(std::to_string(i).c_str());
    CHECK(eventually([] { return sleeping == 1'000; }));
    may_end = true;
    CHECK(calling.finished(count).size() == count);
    CHECK(sleeping == 0);
  }

  TEST_CASE("A4: asynchronous handlers beyond what may be deferred wait in their slots") {
    Calling calling(run_of<counts>, 2, 3);
    sleeping = 0;
    may_end = false;
    for (int i = 0; i < 8; ++i) calling.start("1");
    CHECK(eventually([] { return sleeping == 5; }));  // two without a slot
    may_end = true;
    CHECK(calling.finished(8).size() == 8);
  }
}
