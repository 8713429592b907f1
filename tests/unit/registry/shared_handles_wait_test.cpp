#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/shared_handles.hpp>

#include "unit/registry/watched_sync.hpp"

namespace {

using namespace std::chrono_literals;
using weir::Cancellation;
using weir::Error;
using weir::ErrorCode;
using weir::Patience;
using weir::Result;
using weir::testing::WatchedSync;

using WatchedHandles = weir::SharedHandles<std::string, int, int, WatchedSync>;
using WatchedPointer = WatchedHandles::Pointer;
using Clock = std::chrono::steady_clock;

Result<WatchedPointer> make(const WatchedHandles::Starting& starting) {
  return std::make_shared<int>(starting.options);
}

// A start that lasts until it is let go, on a thread of its own.
class SlowStart {
 public:
  SlowStart(WatchedHandles& handles, const std::string& key, Result<int> outcome = 0)
      : thread_([this, &handles, key, outcome] {
          result_ = handles.get_or_start(
              key, 0, [&](const WatchedHandles::Starting&) -> Result<WatchedPointer> {
                begun_.count_down();
                go_.wait();
                if (!outcome) return std::unexpected(outcome.error());
                return std::make_shared<int>(*outcome);
              });
        }) {
    begun_.wait();
  }
  ~SlowStart() { finish(); }

  const Result<WatchedPointer>& finish() {
    if (thread_.joinable()) {
      go_.count_down();
      thread_.join();
    }
    return result_;
  }

 private:
  std::latch begun_{1};
  std::latch go_{1};
  Result<WatchedPointer> result_;
  std::thread thread_;
};

// get_or_start on a thread of its own.
class Waiter {
 public:
  Waiter(WatchedHandles& handles, const std::string& key, Patience<WatchedSync> patience = {})
      : thread_([this, &handles, key, patience] {
          result_ = handles.get_or_start(key, 0, make, patience);
        }) {}
  const Result<WatchedPointer>& result() {
    if (thread_.joinable()) thread_.join();
    return result_;
  }
  ~Waiter() { result(); }

 private:
  Result<WatchedPointer> result_;
  std::thread thread_;
};

const Error no_paper{.code = ErrorCode::unavailable, .kind = "no_paper", .message = "out of paper"};

}  // namespace

TEST_SUITE("registry: waiting for shared handles") {
  TEST_CASE("any number of callers share one start") {
    WatchedHandles handles;
    SlowStart start(handles, "a", 7);
    Waiter one(handles, "a"), two(handles, "a");
    WatchedSync::wait_for_sleepers(2);
    CHECK(handles.waiting() == 2);
    const WatchedPointer made = start.finish().value();
    CHECK(one.result().value() == made);
    CHECK(two.result().value() == made);
  }

  TEST_CASE("whoever joined a start that fails gets its error and later callers do not") {
    WatchedHandles handles;
    SlowStart start(handles, "a", std::unexpected(no_paper));
    Waiter one(handles, "a"), two(handles, "a");
    WatchedSync::wait_for_sleepers(2);
    CHECK(start.finish().error() == no_paper);
    CHECK(one.result().error() == no_paper);
    CHECK(two.result().error() == no_paper);
    CHECK(handles.get_or_start("a", 0, make).has_value());
  }

  TEST_CASE("another key does not wait for a start at work") {
    WatchedHandles handles;
    SlowStart start(handles, "a");
    CHECK(handles.get_or_start("b", 0, make).has_value());
    CHECK(handles.stop("b"));
    CHECK(handles.list().empty());
  }

  TEST_CASE("a caller whose deadline passes gives up and the start goes on for the others") {
    WatchedHandles handles;
    SlowStart start(handles, "a", 7);
    Waiter patient(handles, "a");
    WatchedSync::wait_for_sleepers(1);
    const auto late = handles.get_or_start("a", 0, make, {.deadline = Clock::now() - 1s});
    CHECK(late.error() == Error{.code = ErrorCode::unavailable,
                                .kind = "start_timeout",
                                .message = "the start of \"a\" was not over when the deadline "
                                           "passed",
                                .hint = "it continues: ask again, or wait longer"});
    CHECK(start.finish().has_value());
    CHECK(**patient.result() == 7);
  }

  TEST_CASE("a deadline that passed keeps nobody from a handle that is there or from starting it") {
    WatchedHandles handles;
    const Patience<WatchedSync> none{.deadline = Clock::now() - 1s};
    CHECK(handles.get_or_start("a", 0, make, none).has_value());
    CHECK(handles.get_or_start("a", 0, make, none).has_value());
  }

  TEST_CASE("a waiting caller that is cancelled leaves and the others stay") {
    WatchedHandles handles;
    Cancellation<WatchedSync> cancellation;
    SlowStart start(handles, "a", 7);
    Waiter patient(handles, "a"), cancelled(handles, "a", {.cancellation = &cancellation});
    WatchedSync::wait_for_sleepers(2);
    cancellation.cancel();
    CHECK(cancelled.result().error() ==
          Error{.code = ErrorCode::unavailable,
                .kind = "cancelled",
                .message = "the wait for the start of \"a\" was cancelled"});
    CHECK(handles.get_or_start("a", 0, make, {.cancellation = &cancellation}).error().kind ==
          "cancelled");
    CHECK(start.finish().has_value());
    CHECK(**patient.result() == 7);
  }

  TEST_CASE("a stop refuses those who wait for the start at once") {
    WatchedHandles handles;
    SlowStart start(handles, "a", 7);
    Waiter joined(handles, "a");
    WatchedSync::wait_for_sleepers(1);
    CHECK(handles.stop("a"));
    CHECK(joined.result().error().kind == "stopped");
    CHECK(start.finish().error().kind == "stopped");
    CHECK(handles.lookup("a") == nullptr);
  }

  TEST_CASE("who asks after a stop gets a handle of a later start once the stopped one is over") {
    WatchedHandles handles;
    SlowStart start(handles, "a", 7);
    CHECK(handles.stop("a"));
    Waiter after(handles, "a");
    WatchedSync::wait_for_sleepers(1);
    CHECK(start.finish().error().kind == "stopped");
    CHECK(**after.result() == 0);
    CHECK(handles.list().front().generation == 2);
  }

  TEST_CASE("who asks for a stopped handle waits until its last user has released it") {
    WatchedHandles handles;
    WatchedPointer used = handles.get_or_start("a", 7, make).value();
    CHECK(handles.stop("a"));
    Waiter after(handles, "a");
    WatchedSync::wait_for_sleepers(1);
    CHECK(handles.waiting() == 1);
    CHECK(handles.list().empty());
    used.reset();
    CHECK(**after.result() == 0);
    CHECK(handles.list().front().generation == 2);
  }

  TEST_CASE("a wait for the end of a stopped handle can be cancelled and ends with a shutdown") {
    WatchedHandles handles;
    Cancellation<WatchedSync> cancellation;
    const WatchedPointer used = handles.get_or_start("a", 7, make).value();
    handles.stop("a");
    Waiter patient(handles, "a"), cancelled(handles, "a", {.cancellation = &cancellation});
    WatchedSync::wait_for_sleepers(2);
    cancellation.cancel();
    CHECK(cancelled.result().error().kind == "cancelled");
    CHECK(handles.shutdown() == 0);
    CHECK(patient.result().error().kind == "not_started");
  }

  TEST_CASE("a shutdown refuses those who wait and ends what is started when it comes") {
    WatchedHandles handles;
    SlowStart start(handles, "a", 7);
    Waiter joined(handles, "a");
    WatchedSync::wait_for_sleepers(1);
    CHECK(handles.shutdown() == 0);
    CHECK(joined.result().error().kind == "not_started");
    CHECK(start.finish().error().kind == "not_started");
  }

  TEST_CASE("of two starts that want each other the second to ask is refused") {
    WatchedHandles handles;
    std::latch both(2);
    Result<WatchedPointer> nested_a, nested_b;
    const auto wanting = [&](const std::string& other, Result<WatchedPointer>& nested) {
      return [&, other](const WatchedHandles::Starting& starting) {
        both.arrive_and_wait();
        nested = handles.get_or_start(other, 0, make);
        return make(starting);
      };
    };
    std::thread a([&] { CHECK(handles.get_or_start("a", 0, wanting("b", nested_a)).has_value()); });
    CHECK(handles.get_or_start("b", 0, wanting("a", nested_b)).has_value());
    a.join();
    // One waited and got the other's; which one is open.
    REQUIRE(nested_a.has_value() != nested_b.has_value());
    const Error& refused = nested_a ? nested_b.error() : nested_a.error();
    CHECK(refused.kind == "would_deadlock");
    CHECK(refused.message == (nested_a
                                  ? "waiting would never end: this thread is starting what it asks "
                                    "for, \"a\", which waits for \"b\""
                                  : "waiting would never end: this thread is starting what it asks "
                                    "for, \"b\", which waits for \"a\""));
  }

  TEST_CASE("a caller with other options that joins a start is reported too") {
    std::vector<std::string> notified;
    WatchedHandles handles({.options_differ = [&](const std::string& key, int first, int asked) {
      notified.push_back(key + std::to_string(first) + std::to_string(asked));
    }});
    SlowStart start(handles, "a");
    CHECK(handles.get_or_start("a", 5, make, {.deadline = Clock::now()}).error().kind ==
          "start_timeout");
    CHECK(notified == std::vector<std::string>{"a05"});
  }

  TEST_CASE("under many threads every key has one live handle and every handle one end") {
    static std::atomic<int> living, made;
    struct Counted {
      Counted() { ++living, ++made; }
      ~Counted() { --living; }
    };
    living = made = 0;
    using Shared = weir::SharedHandles<int, Counted>;
    constexpr int keys = 5;
    std::atomic<int> wrong = 0;
    {
      Shared shared;
      std::array<std::atomic<int>, keys> inside{};
      std::vector<std::jthread> threads;
      for (unsigned seed = 1; seed <= 4; ++seed)
        threads.emplace_back([&, seed] {
          std::minstd_rand random(seed);
          std::optional<Shared::Death> death;
          for (int i = 0; i < 4'000; ++i) {
            const int key = static_cast<int>(random() % keys);
            switch (random() % 8) {
              case 0:
                shared.stop(key);
                break;
              case 1:
                if (death) death->announce();
                break;
              case 2:
                if (shared.list().size() > keys) ++wrong;
                break;
              default: {
                const auto got = shared.get_or_start(
                    key, [&](const Shared::Starting& starting) -> Result<Shared::Pointer> {
                      if (++inside[static_cast<std::size_t>(key)] != 1) ++wrong;
                      death = starting.death;
                      auto counted = std::make_shared<Counted>();
                      --inside[static_cast<std::size_t>(key)];
                      if (random() % 5 == 0) return std::unexpected(no_paper);
                      return counted;
                    });
                if (!got && got.error() != no_paper && got.error().kind != "stopped" &&
                    got.error().kind != "died")
                  ++wrong;
              }
            }
          }
        });
      threads.clear();
      CHECK(shared.count() == static_cast<std::size_t>(living));
    }
    CHECK(wrong == 0);
    CHECK(living == 0);
    CHECK(made > keys);
  }
}
