#include "client/run_ends.hpp"

#include <atomic>
#include <latch>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "support/eventually.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A database of runs that are over or not.
class Runs {
 public:
  Result<std::vector<std::string>> over_among(const std::vector<std::string>& ids) {
    const std::scoped_lock lock(mutex_);
    ++polls_;
    polled_ids_ = ids;
    if (failure_) return std::unexpected(*failure_);
    std::vector<std::string> over;
    for (const std::string& id : ids)
      if (over_.contains(id)) over.push_back(id);
    return over;
  }
  void end(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    over_.insert(id);
  }
  void fail(const Error& failure) {
    const std::scoped_lock lock(mutex_);
    failure_ = failure;
  }
  std::vector<std::string> polled_ids() {
    const std::scoped_lock lock(mutex_);
    return polled_ids_;
  }
  int polls() {
    const std::scoped_lock lock(mutex_);
    return polls_;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> over_;
  std::optional<Error> failure_;
  int polls_ = 0;
  std::vector<std::string> polled_ids_;
};

RunEnds<>::Poll poll(Runs& runs) {
  return [&](const std::vector<std::string>& ids) { return runs.over_among(ids); };
}

constexpr RunEndsPace quick{.pause_first = 1ms, .pause_longest = 2ms, .away_longest = 0ms};

}  // namespace

TEST_SUITE("client: run ends") {
  TEST_CASE("each of many threads is told of the end of the run it waits for") {
    Runs runs;
    RunEnds<> ends(poll(runs), quick);
    constexpr int threads = 8;
    std::atomic<int> notified = 0;
    std::latch waiting(threads);
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i)
      all.emplace_back([&, i] {
        auto wait = ends.wait_for("run " + std::to_string(i / 2));
        waiting.count_down();
        if (wait.until(Clock::now() + 30s) == true) ++notified;
      });
    waiting.wait();
    CHECK(ends.waiting() == threads);
    for (int i = 0; i < threads / 2; ++i) runs.end("run " + std::to_string(i));
    all.clear();
    CHECK(notified == threads);
    CHECK(ends.waiting() == 0);
  }

  TEST_CASE("a run that was over before is told as well") {
    Runs runs;
    runs.end("a");
    RunEnds<> ends(poll(runs), quick);
    CHECK(ends.wait_for("a").until(Clock::now() + 30s) == true);
  }

  TEST_CASE("a wait ends at its time and leaves those of others alone") {
    Runs runs;
    RunEnds<> ends(poll(runs), quick);
    auto patient = ends.wait_for("a");
    CHECK(ends.wait_for("a").until(Clock::now()) == false);
    CHECK(ends.waiting() == 1);
    runs.end("a");
    CHECK(patient.until(Clock::now() + 30s) == true);
  }

  TEST_CASE("all that wait are asked for with one question again and again") {
    Runs runs;
    RunEnds<> ends(poll(runs), quick);
    CHECK(runs.polls() == 0);
    const auto a = ends.wait_for("a");
    const auto b = ends.wait_for("b");
    const auto again = ends.wait_for("b");
    CHECK(testing::eventually(
        [&] { return runs.polled_ids() == std::vector<std::string>{"a", "b"}; }));
    const int before = runs.polls();
    CHECK(testing::eventually([&] { return runs.polls() > before; }));
  }

  TEST_CASE("a database that stays away or refuses is told to all who wait") {
    for (const ErrorCode code : {ErrorCode::unavailable, ErrorCode::invalid_input}) {
      Runs runs;
      const Error failure{.code = code, .kind = "away", .message = "no database", .hint = {}};
      runs.fail(failure);
      RunEnds<> ends(poll(runs), quick);
      auto a = ends.wait_for("a");
      auto b = ends.wait_for("b");
      CHECK(a.until(Clock::now() + 30s).error() == failure);
      CHECK(b.until(Clock::now() + 30s).error() == failure);
    }
  }
}

}  // namespace weir
