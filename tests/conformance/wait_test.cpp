#include <thread>

#include "conformance/test_worker.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

struct Waits {
  Waits() { worker.loads(one_step()); }
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
};

}  // namespace

TEST_SUITE("store: waits") {
  TEST_CASE("a start ends the wait of a worker that asked in vain") {
    Waits a;
    CHECK(a.worker.claim(1).empty());
    const std::jthread starter([&] { a.client->start("totals", {Json()}, {}).value(); });
    CHECK(a.worker.session->wait(30s));
    CHECK(a.worker.claim(1).size() == 1);
  }

  TEST_CASE("a start that came before the wait ends it as well") {
    Waits a;
    CHECK(a.worker.claim(1).empty());
    start_one(*a.client);
    CHECK(a.worker.session->wait(30s));
    CHECK_FALSE(a.worker.session->wait(0s));
  }

  TEST_CASE("what is told while an exchange is under way is not lost") {
    Waits a;
    CHECK(a.worker.claim(1).empty());
    start_one(*a.client);
    a.worker.exchange(a.worker.next());  // its answer brings the notification along
    CHECK(a.worker.session->wait(30s));
  }

  TEST_CASE("nobody is told while all workers have what they wanted") {
    Waits a;
    start_one(*a.client);
    CHECK(a.worker.claim(1).size() == 1);
    start_one(*a.client);
    CHECK_FALSE(a.worker.session->wait(20ms));
  }

  TEST_CASE("L5: a run given back ends the wait of an idle worker") {
    Waits a;
    start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    TestWorker idle(*a.stores);
    idle.versions = a.worker.versions;
    CHECK(idle.claim(1).empty());
    ExchangeRequest request = a.worker.next();
    request.released.push_back({run.run, {}});
    a.worker.exchange(request);
    CHECK(idle.session->wait(30s));
    CHECK(idle.claim_one().run == run.run);
  }

  TEST_CASE("L5: a worker that leaves ends the wait of an idle one") {
    Waits a;
    start_one(*a.client);
    a.worker.claim_one();
    TestWorker idle(*a.stores);
    idle.versions = a.worker.versions;
    CHECK(idle.claim(1).empty());
    must(a.worker.session->leave(a.worker.id));
    CHECK(idle.session->wait(30s));
    CHECK(idle.claim(1).size() == 1);
  }

  TEST_CASE("a wait without news ends after its limit") {
    Waits a;
    const auto before = std::chrono::steady_clock::now();
    CHECK_FALSE(a.worker.session->wait(20ms));
    CHECK(std::chrono::steady_clock::now() - before >= 20ms);
  }

  TEST_CASE("wake ends the wait that is under way") {
    Waits a;
    const auto before = std::chrono::steady_clock::now();
    const std::jthread waker([&] { a.worker.session->wake(); });
    CHECK_FALSE(a.worker.session->wait(30s));
    CHECK(std::chrono::steady_clock::now() - before < 20s);
  }

  TEST_CASE("wakes before the wait end the next one and only that") {
    Waits a;
    a.worker.session->wake();
    a.worker.session->wake();
    const auto before = std::chrono::steady_clock::now();
    CHECK_FALSE(a.worker.session->wait(30s));
    CHECK(std::chrono::steady_clock::now() - before < 20s);
    CHECK_FALSE(a.worker.session->wait(5ms));
    CHECK(std::chrono::steady_clock::now() - before >= 5ms);
  }
}
