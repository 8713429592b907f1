#include <numeric>
#include <vector>

#include <doctest/doctest.h>

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

}  // namespace

TEST_SUITE("worker: joining again") {
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
