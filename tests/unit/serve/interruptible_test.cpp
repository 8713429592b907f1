#include "serve/interruptible.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>
#include <pthread.h>

#include "serve/stop_signals.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace std::chrono_literals;

namespace {

bool never() { return false; }

// No thread can be started while it lives: none has room for such a stack.
struct NoMoreThreads {
  NoMoreThreads() {
    pthread_getattr_default_np(&before);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 50U);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~NoMoreThreads() {
    pthread_setattr_default_np(&before);
    pthread_attr_destroy(&before);
  }
  pthread_attr_t before{};
};

}  // namespace

TEST_SUITE("serve: calls that a signal interrupts") {
  TEST_CASE("a call's result and its exception arrive") {
    CHECK(unless_over<int>(never, [] { return 7; }) == 7);
    const auto failing = []() -> int { throw std::runtime_error("no"); };
    CHECK_THROWS_WITH_AS(unless_over<int>(never, failing), "no", std::runtime_error);
    CHECK_FALSE(has_left_thread_behind);
  }

  TEST_CASE("a call that does not return is left behind, and the process knows") {
    const auto goes_on = std::make_shared<std::atomic<bool>>(false);
    const auto waits = [goes_on] {
      while (!*goes_on) std::this_thread::sleep_for(1ms);
      *goes_on = false;
      return 7;
    };
    int asked = 0;
    CHECK_FALSE(unless_over<int>([&] { return ++asked == 2; }, waits));
    CHECK(has_left_thread_behind.exchange(false));
    *goes_on = true;
    CHECK(testing::eventually([&] { return !*goes_on; }));
  }

  TEST_CASE("where no thread can be had the call is made all the same") {
    const NoMoreThreads none;
    CHECK_THROWS_AS(std::thread([] {}).join(), std::system_error);
    CHECK(unless_over<int>(never, [] { return 7; }) == 7);
  }

  TEST_CASE(
      "L5: everything is due within the drain timeout after the first signal, and the grace") {
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, nullptr, &before);
    {
      StopSignals signals;
      CHECK_FALSE(signals.end_by(600s, 10s));
      const auto began = std::chrono::steady_clock::now();
      std::raise(SIGTERM);
      CHECK_FALSE(signals.end_by(600s, 10s));
      CHECK(signals.count() == 1);
      const auto first = *signals.end_by(0ms, 0ms);
      CHECK(first >= began);
      CHECK(*signals.end_by(600s, 10s) == first + 610s);
      std::raise(SIGTERM);
      CHECK(signals.count() == 2);
      CHECK(*signals.end_by(0ms, 10s) == first + 10s);
      const auto second = *signals.end_by(600s, 0s);
      CHECK(second >= first);
      std::raise(SIGTERM);
      CHECK(signals.count() == 3);
      CHECK(*signals.end_by(600s, 10s) == second + 10s);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
}
