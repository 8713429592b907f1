#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
using Rows = std::vector<std::string>;

namespace {

struct Limits {
  Limits() { worker.loads(one_step()); }
  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();

  void set(const FlowLimits& limits) { must(worker.session->flows().set_limits("totals", limits)); }

  // Runs of these customers, in this order.
  void start(const std::vector<std::string>& customers) {
    std::vector<Json> inputs;
    for (const std::string& customer : customers)
      inputs.push_back(json(fmt::format(R"({{"customer": "{}"}})", customer)));
    must(client->start("totals", inputs, {}));
  }

  // How many open runs a call of weir.settle_limits() reads.
  int reads_of_settling() const {
    AdminSession session(stores.url());
    session.run("begin");
    session.run("select weir.settle_limits()");
    return std::stoi(session
                         .run("select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from "
                              "pg_stat_xact_user_tables where relname = 'open_run'")
                         .front());
  }

  std::unique_ptr<TestWorker> another() {
    auto other = std::make_unique<TestWorker>(stores);
    other->versions = worker.versions;
    return other;
  }
};

std::string customers(const std::vector<ClaimedRun>& runs) {
  std::string text;
  for (const ClaimedRun& run : runs) {
    const std::string input(run.input.text());
    text += input.substr(input.find(": \"") + 3, 1);
  }
  std::ranges::sort(text);
  return text;
}

void end(TestWorker& worker, const ClaimedRun& run) { worker.ends(run.run, {.output = json("1")}); }

}  // namespace

TEST_SUITE("postgres: limits") {
  TEST_CASE("C6: of a limited flow workers hold so many runs and no more") {
    Limits a;
    a.set({.max_running = 3});
    must(a.client->start("totals", std::vector<Json>(10), {}));
    const auto first = a.worker.claim(2);
    CHECK(first.size() == 2);
    const auto other = a.another();
    CHECK(other->claim(5).size() == 1);
    CHECK(other->claim(5).empty());
    CHECK(a.stores.sql("select running from weir.limits") == Rows{"3"});

    end(a.worker, first[0]);
    CHECK(other->claim(5).size() == 1);
    const Time later = a.worker.exchange(a.worker.next()).now + 1h;
    ExchangeRequest parks = a.worker.next();
    parks.released.push_back({first[1].run, later});
    a.worker.exchange(parks);
    CHECK(other->claim(5).size() == 1);  // a run that only waits holds no place
    CHECK(other->claim(5).empty());
  }

  TEST_CASE("C6: claimers that race never hold more runs than the limit and get all of them") {
    Limits a;
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
              end(*mine, run);
              ++done;
            }
          }
        });
    }
    CHECK(done == runs);
    CHECK(most <= limit);
    CHECK(most_of_key <= key_limit);
    CHECK(a.stores.sql("select count(*) from weir.open_run") == Rows{"0"});
  }

  TEST_CASE("C6: a key has places of its own and turns") {
    Limits a;
    a.set({.key = "/customer", .key_max_running = 2});
    a.start({"a", "a", "a", "a", "b", "b", "c"});
    CHECK(customers(a.worker.claim(3)) == "abc");
    CHECK(customers(a.worker.claim(10)) == "ab");
    CHECK(a.worker.claim(10).empty());
  }

  TEST_CASE("C6: a hundred thousand runs of a full key hide no other key") {
    Limits a;
    a.set({.key = "/customer", .key_max_running = 1});
    a.stores.sql(
        "select count(*) from weir.start_many('totals', array_fill('{\"customer\": "
        "\"a\"}'::jsonb, array[100000]))");
    a.start({"b", "c"});
    AdminSession(a.stores.url()).run("vacuum analyze weir.open_run");
    CHECK(customers(a.worker.claim(1)) == "a");
    const auto begin = std::chrono::steady_clock::now();
    CHECK(customers(a.worker.claim(10)) == "bc");
    CHECK(a.worker.claim(10).empty());
    const auto took = std::chrono::steady_clock::now() - begin;
    MESSAGE(
        "two claims took " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
                           << " ms");
    CHECK(took < 5s);  // 10 ms or so, where the machine does not stand still
  }

  TEST_CASE("C6: runs without the key are bound by the flow's own limits alone") {
    Limits a;
    a.set({.max_running = 4, .key = "/customer", .key_max_running = 1});
    must(a.client->start(
        "totals", {json("{}"), json("7"), json("{\"customer\": null}"), json("[]"), json("{}")},
        {}));
    CHECK(a.worker.claim(10).size() == 4);
  }

  TEST_CASE("C6: a rate hands out so many at once and says when the next may go") {
    Limits a;
    a.set({.rate = "3/600ms"});
    must(a.client->start("totals", std::vector<Json>(5), {}));
    CHECK(a.worker.claim(10).size() == 3);
    const ExchangeReply none = a.worker.exchange(a.worker.next(10));
    CHECK(none.claimed.empty());
    REQUIRE(none.next_wake_at.has_value());
    CHECK(*none.next_wake_at <= none.now + 200ms);
    ExchangeReply reply;
    REQUIRE(eventually([&] {
      reply = a.worker.exchange(a.worker.next(10));
      return !reply.claimed.empty();
    }));
    CHECK(reply.now >= *none.next_wake_at);
  }

  TEST_CASE("C6: in any stretch of time a rate hands out no more than it says beyond its first") {
    Limits a;
    a.set({.rate = "20/1s"});
    must(a.client->start("totals", std::vector<Json>(60), {}));
    std::size_t claimed = 0;
    std::optional<Time> first;
    REQUIRE(eventually([&] {
      const ExchangeReply reply = a.worker.exchange(a.worker.next(7));
      claimed += reply.claimed.size();
      if (!first) first = reply.now;
      const double seconds = std::chrono::duration<double>(reply.now - *first).count();
      CHECK(static_cast<double>(claimed) <= 20.0 + 20.0 * seconds + 1.0);
      return seconds > 0.5;
    }));
    CHECK(claimed > 20);
  }

  TEST_CASE("C6: each key has a rate of its own") {
    Limits a;
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
      Limits a;
      a.set({.max_running = 1});
      must(a.client->start("totals", std::vector<Json>(2), {}));
      const ClaimedRun run = a.worker.claim_one();
      const auto other = a.another();
      CHECK(other->claim(1).empty());
      while (other->session->wait(0ms)) {
      }
      std::jthread frees([&] {
        if (ends) return end(a.worker, run);
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
    Limits a;
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
    Limits a;
    a.start({"a", "a", "b"});
    a.set({.key = "/customer", .key_max_running = 1});
    CHECK(customers(a.worker.claim(10)) == "ab");
    CHECK(a.worker.claim(10).empty());
    a.start({"c"});
    a.set({.max_running = 3});
    CHECK(a.worker.claim(10).size() == 1);
    a.set({});
    CHECK(a.worker.claim(10).size() == 1);
    CHECK(a.stores.sql("select count(*) from weir.limits") == Rows{"0"});
  }

  TEST_CASE("C6: every open run has its key once all who knew nothing of it are gone") {
    Limits a;
    AdminSession before(a.stores.url());
    before.run("begin");
    before.run(
        "select count(*) from weir.start_many('totals', array_fill('{\"customer\": "
        "\"a\"}'::jsonb, array[700]))");
    a.start({"b", "c"});
    a.set({.key = "/customer", .key_max_running = 700});
    CHECK(a.stores.sql("select weir.settle_limits()") == Rows{"1"});
    CHECK(a.reads_of_settling() == 0);  // nothing is read again until the old transaction has ended
    before.run("commit");
    a.stores.sql("select weir.settle_limits()");
    CHECK(eventually([&] { return a.stores.sql("select weir.settle_limits()") == Rows{"0"}; }));
    CHECK(a.stores.sql("select count(*) from weir.open_run where limit_key = '=a'") == Rows{"700"});
  }

  TEST_CASE("C6: a flow without limits takes no part in those of others") {
    Limits a;
    a.worker.loads(named("free", one_step()));
    a.set({.max_running = 1});
    must(a.client->start("totals", std::vector<Json>(3), {}));
    must(a.client->start("free", std::vector<Json>(3), {}));
    CHECK(a.worker.claim(10).size() == 4);
  }

  TEST_CASE("C6: what a command set gives way to what flows.yaml says and not to its silence") {
    Limits a;
    a.stores.sql("select weir.set_limits('totals', max_running => 2)");
    a.set({});
    CHECK(a.stores.sql("select max_running from weir.limits") == Rows{"2"});
    a.set({.max_running = 5});
    CHECK(a.stores.sql("select max_running from weir.limits") == Rows{"5"});
    a.set({});
    CHECK(a.stores.sql("select max_running from weir.limits") == Rows{});
  }

  TEST_CASE("C6: limits out of their range are refused by name") {
    Limits a;
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
