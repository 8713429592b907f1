#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "conformance/limits.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

TEST_SUITE("conformance: limits") {
  TEST_CASE("C6: of a limited flow workers hold so many runs and no more") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.set({.max_running = 3});
    must(a.client->start("totals", std::vector<Json>(10), {}));
    const auto first = a.worker.claim(2);
    CHECK(first.size() == 2);
    const auto other = a.another();
    CHECK(other->claim(5).size() == 1);
    CHECK(other->claim(5).empty());

    ends_run(a.worker, first[0]);
    CHECK(other->claim(5).size() == 1);
    const Time later = a.worker.exchange(a.worker.next()).now + 1h;
    ExchangeRequest parks = a.worker.next();
    parks.released.push_back({first[1].run, later});
    a.worker.exchange(parks);
    CHECK(other->claim(5).size() == 1);  // a run that only waits holds no place
    CHECK(other->claim(5).empty());
  }

  TEST_CASE("C6: claimers that race never hold more runs than the limit and get all of them") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    constexpr std::int64_t limit = 5;
    constexpr std::int64_t key_limit = 2;
    constexpr int runs = 150;
    a.set({.max_running = limit, .key = "/customer", .key_max_running = key_limit});
    std::vector<std::string> all;
    for (int i = 0; i < runs; ++i) all.emplace_back(1, static_cast<char>('a' + i % 4));
    a.start(all);
    // What is counted before an exchange that ends a run and after one that claimed it is less than
    // what was held in between.
    std::mutex mutex;
    std::map<std::string, int> held;
    std::atomic<int> done{0}, most{0}, most_of_key{0};
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 6; ++i)
        threads.emplace_back([&, mine = std::shared_ptr<TestWorker>(a.another())] {
          while (done < runs) {
            const auto claimed = mine->claim(3);
            {
              const std::lock_guard lock(mutex);
              for (const ClaimedRun& run : claimed) {
                const int of_key = ++held[customers({run})];
                most_of_key = std::max(most_of_key.load(), of_key);
              }
              int sum = 0;
              for (const auto& [key, count] : held) sum += count;
              most = std::max(most.load(), sum);
            }
            if (claimed.empty()) {
              mine->session->wait(20ms);
              continue;
            }
            {
              const std::lock_guard lock(mutex);
              for (const ClaimedRun& run : claimed) --held[customers({run})];
            }
            for (const ClaimedRun& run : claimed) {
              ends_run(*mine, run);
              ++done;
            }
          }
        });
    }
    CHECK(done == runs);
    CHECK(most <= limit);
    CHECK(most_of_key <= key_limit);
  }

  TEST_CASE("C6: a key has places of its own and turns") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.set({.key = "/customer", .key_max_running = 2});
    a.start({"a", "a", "a", "a", "b", "b", "c"});
    CHECK(customers(a.worker.claim(3)) == "abc");
    CHECK(customers(a.worker.claim(10)) == "ab");
    CHECK(a.worker.claim(10).empty());
  }

  TEST_CASE("C6: runs without the key are bound by the flow's own limits alone") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.set({.max_running = 4, .key = "/customer", .key_max_running = 1});
    must(a.client->start(
        "totals", {json("{}"), json("7"), json("{\"customer\": null}"), json("[]"), json("{}")},
        {}));
    CHECK(a.worker.claim(10).size() == 4);
  }

  TEST_CASE("C6: a rate hands out so many at once and says when the next may go") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.set({.rate = "3/1h"});
    must(a.client->start("totals", std::vector<Json>(5), {}));
    CHECK(a.worker.claim(10).size() == 3);
    const ExchangeReply none = a.worker.exchange(a.worker.next(10));
    CHECK(none.claimed.empty());
    REQUIRE(none.next_wake_at.has_value());
    CHECK(*none.next_wake_at <= none.now + 20min);
  }

  TEST_CASE("C6: a rate hands out the next when it said") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.set({.rate = "3/600ms"});
    must(a.client->start("totals", std::vector<Json>(5), {}));
    const Time before = a.worker.exchange(a.worker.next(0)).now;
    CHECK(a.worker.claim(10).size() == 3);
    int claimed = 3;
    Time said = before;
    REQUIRE(eventually([&] {
      const ExchangeReply reply = a.worker.exchange(a.worker.next(10));
      claimed += static_cast<int>(reply.claimed.size());
      if (!reply.claimed.empty()) {  // weir.rate_left rounds 1/10,000 of 200 ms
        CHECK(reply.now >= said - 20us);
        CHECK(reply.now >= before + (claimed - 3) * 200ms - 40us);
      }
      said = reply.next_wake_at.value_or(said);
      return claimed == 5;
    }));
  }

  TEST_CASE("C6: in any stretch of time a rate hands out no more than it says beyond its first") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.set({.rate = "20/1s"});
    must(a.client->start("totals", std::vector<Json>(60), {}));
    std::size_t claimed = 0;
    const Time before = a.worker.exchange(a.worker.next(0)).now;
    REQUIRE(eventually([&] {
      const ExchangeReply reply = a.worker.exchange(a.worker.next(7));
      claimed += reply.claimed.size();
      const double seconds = std::chrono::duration<double>(reply.now - before).count();
      CHECK(static_cast<double>(claimed) <= 20.0 + 20.0 * seconds + 1.0);
      return seconds > 0.5;
    }));
    CHECK(claimed > 20);
  }

  TEST_CASE("C6: each key has a rate of its own") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.set({.key = "/customer", .key_rate = "1/1h"});
    a.start({"a", "a", "b", "b"});
    CHECK(customers(a.worker.claim(10)) == "ab");
    const ExchangeReply none = a.worker.exchange(a.worker.next(10));
    CHECK(none.claimed.empty());
    REQUIRE(none.next_wake_at.has_value());
    CHECK(*none.next_wake_at > none.now + 50min);
  }

  TEST_CASE("C6: a place that becomes free is told to workers that wait") {
    for (const bool ends : {true, false}) {
      const auto stores = fresh_stores();
      Limits a(*stores);
      a.set({.max_running = 1});
      must(a.client->start("totals", std::vector<Json>(2), {}));
      const ClaimedRun run = a.worker.claim_one();
      const auto other = a.another();
      CHECK(other->claim(1).empty());
      while (other->session->wait(0ms)) {
      }
      std::jthread frees([&] {
        if (ends) return ends_run(a.worker, run);
        ExchangeRequest request = a.worker.next();
        request.released.push_back({run.run, {}});
        a.worker.exchange(request);
      });
      CHECK(other->session->wait(10s));
      frees.join();
      CHECK(other->claim(1).size() == 1);
    }
  }

  TEST_CASE("C6: places of a worker that vanished are free again") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.set({.max_running = 1});
    must(a.client->start("totals", std::vector<Json>(2), {}));
    const auto other = a.another();
    other->claim_one();
    CHECK(a.worker.claim(1).empty());
    other->lapses(*a.client);
    must(a.worker.session->sweep());
    CHECK(a.worker.claim(1).size() == 1);
  }

  TEST_CASE("C6: limits that come while runs wait hold for them too") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.start({"a", "a", "b"});
    a.set({.key = "/customer", .key_max_running = 1});
    CHECK(customers(a.worker.claim(10)) == "ab");
    CHECK(a.worker.claim(10).empty());
    a.start({"c"});
    a.set({.max_running = 3});
    CHECK(a.worker.claim(10).size() == 1);
    a.set({});
    CHECK(a.worker.claim(10).size() == 1);
  }

  TEST_CASE("C6: a flow without limits takes no part in those of others") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    a.worker.loads(named("free", one_step()));
    a.set({.max_running = 1});
    must(a.client->start("totals", std::vector<Json>(3), {}));
    must(a.client->start("free", std::vector<Json>(3), {}));
    CHECK(a.worker.claim(10).size() == 4);
  }

  TEST_CASE("C6: limits out of their range are refused by name") {
    const auto stores = fresh_stores();
    Limits a(*stores);
    const auto refused = [&](const FlowLimits& limits) {
      const auto set = a.worker.session->flows().set_limits("totals", limits);
      REQUIRE_FALSE(set);
      CHECK(set.error().code == ErrorCode::invalid_input);
      return set.error().message;
    };
    CHECK(refused({.max_running = 0}) == "max_running: 0 is out of range");
    CHECK(refused({.rate = "fast"}) == "\"fast\" is no rate");
    CHECK(refused({.rate = "0/1s"}) == "\"0/1s\" is no rate");
    CHECK(refused({.key_max_running = 1}) == "limits for a key without a key");
    CHECK(refused({.key = "customer", .key_max_running = 1}) ==
          "key: \"customer\" is no JSON pointer");
    const auto absent = a.worker.session->flows().set_limits("nothing", {.max_running = 1});
    REQUIRE_FALSE(absent);
    CHECK(absent.error().code == ErrorCode::not_found);
  }
}
