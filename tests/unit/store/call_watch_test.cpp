#include "store/postgres/call_watch.hpp"

#include <atomic>
#include <optional>

#include <doctest/doctest.h>

#include "support/eventually.hpp"

using namespace weir::postgres;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

struct Told {
  std::atomic<int> slow = 0, over = 0;
  CallWatch::Tell tell() {
    return [this](std::chrono::milliseconds, bool is_over) { ++(is_over ? over : slow); };
  }
};

}  // namespace

TEST_SUITE_BEGIN("store: calls that last");

TEST_CASE("a call that lasts is told once and its end, too") {
  Told told;
  const CallWatch watch(20ms, told.tell());
  {
    const CallWatch::Call call;
    CHECK(eventually([&] { return told.slow == 1; }));
    std::this_thread::sleep_for(60ms);
  }
  CHECK(told.slow == 1);
  CHECK(told.over == 1);
}

TEST_CASE("a call that is over in time is not told") {
  Told told;
  const CallWatch watch(10min, told.tell());
  {
    const CallWatch::Call call;
  }
  CHECK(told.slow + told.over == 0);
}

TEST_CASE("a call that began before the watch or outlives it is watched while that exists") {
  Told told;
  std::optional<CallWatch::Call> call(std::in_place);
  {
    const CallWatch watch(20ms, told.tell());
    CHECK(eventually([&] { return told.slow == 1; }));
  }
  call.reset();
  CHECK(told.over == 0);
}

TEST_CASE("a watch takes the place of the one before it until it ends") {
  Told first, second;
  const CallWatch outer(20ms, first.tell());
  {
    const CallWatch inner(20ms, second.tell());
    const CallWatch::Call call;
    CHECK(eventually([&] { return second.slow == 1; }));
  }
  CHECK(first.slow == 0);
  const CallWatch::Call call;
  CHECK(eventually([&] { return first.slow == 1; }));
}

TEST_SUITE_END();
