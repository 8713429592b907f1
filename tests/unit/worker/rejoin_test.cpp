#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "support/log_lines.hpp"
#include "unit/worker/fake_store.hpp"
#include "worker/rejoin_pause.hpp"
#include "worker/worker.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// A database that throws a worker out again and again, and in which time passes only in wait().
class Hostile final : public FakeStore {
 public:
  std::function<void()> on_join;
  std::vector<std::chrono::milliseconds> waits;  // the longest before each join

  Result<WorkerId> join(const WorkerIdentity&, std::chrono::milliseconds) override {
    waits.push_back(std::exchange(longest_, {}));
    on_join();
    return static_cast<WorkerId>(waits.size());
  }
  Result<ExchangeReply> exchange(const ExchangeRequest&) override {
    return refused(ErrorCode::lease_lost);
  }
  bool wait(std::chrono::milliseconds limit) override {
    longest_ = std::max(longest_, limit);
    return FakeStore::wait(limit);
  }

 private:
  std::chrono::milliseconds longest_{};
};

// A database that cannot be used for one reason, and then for another.
class Unusable final : public FakeStore {
 public:
  std::function<void()> on_answer;

  Result<WorkerId> join(const WorkerIdentity&, std::chrono::milliseconds) override {
    return answer<WorkerId>("transaction_pooling", 1);
  }
  Result<ExchangeReply> exchange(const ExchangeRequest&) override {
    auto reply = answer<ExchangeReply>("server_full", {});
    if (reply) on_answer();
    return reply;
  }

 private:
  template <class T>
  Result<T> answer(const std::string& later, T then) {
    const int call = calls_++;
    if (call == 4) calls_ = 0;
    if (call == 4) return then;
    const std::string kind = call < 2 ? "database_away" : later;
    return refused(ErrorCode::unavailable, kind, kind);
  }

  int calls_ = 0;
};

}  // namespace

TEST_SUITE("worker: joining again") {
  TEST_CASE("L6: the log says each reason why the database cannot be used, and when it can be") {
    Unusable store;
    FlowRegistry registry{1};
    const LogLines lines;
    Worker worker({}, registry, store, lines.log());
    store.on_answer = [&] { worker.drain(); };
    CHECK(worker.run().has_value());
    std::string log = lines.with_levels();
    for (const std::string_view line :
         {"warning: cannot join, retrying: database_away\n",
          "warning: cannot join, retrying: transaction_pooling\n", "info: can join again after ",
          "warning: the database does not answer, retrying: database_away\n",
          "warning: the database does not answer, retrying: server_full\n",
          "info: the database answers again after "}) {
      const std::size_t at = log.find(line);
      REQUIRE_MESSAGE(at != std::string::npos, log);
      log.erase(0, at + line.size());
    }
    CHECK_FALSE(log.contains("retrying"));
  }

  TEST_CASE("L2: a worker that is thrown out again and again joins after ever longer pauses") {
    Hostile store;
    FlowRegistry registry{1};
    Worker worker({}, registry, store, std::make_shared<Log>());
    store.on_join = [&] {
      if (store.waits.size() == 4) worker.drain();
    };
    CHECK(worker.run().has_value());
    CHECK(store.waits == std::vector<std::chrono::milliseconds>{0ms, 0ms, 100ms, 200ms});
  }

  TEST_CASE("L2: the pause has a limit, and a life that lasted ends it") {
    RejoinPause pause;
    std::chrono::milliseconds longest{};
    for (int lives = 0; lives < 20; ++lives) longest = std::max(longest, pause.after(1ms));
    CHECK(longest == 5s);
    CHECK(pause.after(10s) == 0ms);
    CHECK(pause.after(1ms) == 100ms);
  }
}
