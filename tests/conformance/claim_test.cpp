#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "conformance/test_worker.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

struct Claims {
  Claims() { worker.loads(one_step()); }
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
};

std::string inputs(const std::vector<ClaimedRun>& runs) {
  std::string text;
  for (const ClaimedRun& run : runs) text.append(run.input.text()).append(" ");
  return text;
}

}  // namespace

TEST_SUITE("store: claims") {
  TEST_CASE("S1: a higher priority is claimed first and older runs before newer ones") {
    Claims a;
    for (const int priority : {0, -100, 100, 0, 5, 100})
      start_one(*a.client, std::to_string(priority), {.priority = priority});
    const auto first = a.worker.claim(3);
    CHECK(inputs(first) == "100 100 5 ");
    CHECK(first[0].priority == 100);
    CHECK(first[0].run < first[1].run);
    const auto rest = a.worker.claim(10);
    CHECK(inputs(rest) == "0 0 -100 ");
    CHECK(rest[0].run < rest[1].run);
  }

  TEST_CASE("F1: what a claimed run begins with is in flight from its claim on") {
    Claims a;
    const VersionId version = a.worker.versions.front();
    a.worker.serves({{version, {.first_step = 0}}});
    for (const int priority : {0, 5, 0}) start_one(*a.client, "null", {.priority = priority});
    ExchangeRequest request = a.worker.next(3);
    request.begins_max = 2;
    const auto claimed = a.worker.exchange(request).claimed;
    REQUIRE(claimed.size() == 3);
    const auto begun = [](const ClaimedRun& run) { return run.begun; };
    CHECK(begun(claimed[0]) == 0);
    CHECK(begun(claimed[1]) == 0);
    CHECK(begun(claimed[2]) == std::nullopt);
    // The same call again, whose answer was lost, finds the same (L6).
    CHECK(std::ranges::equal(a.worker.exchange(request).claimed, claimed, {}, begun, begun));

    a.worker.lapses(*a.client, &request);
    TestWorker next(*a.stores);
    next.loads(one_step());
    CHECK(must(next.session->sweep()) == 1);
    for (std::size_t i = 0; i < claimed.size(); ++i) {
      CAPTURE(i);
      const auto rows = journal_of(*next.session, claimed[i].run);
      REQUIRE(rows.size() == (i < 2 ? 1 : 0));
      if (!rows.empty()) CHECK(rows[0].outcome == Outcome::lost);
    }
    // Of runs that somebody had before nothing is begun: their journals are to be read.
    next.serves({{version, {.first_step = 0}}});
    request = next.next(3);
    request.begins_max = 3;
    for (const ClaimedRun& run : next.exchange(request).claimed) {
      CHECK(run.has_history);
      CHECK_FALSE(run.begun.has_value());
    }
  }

  TEST_CASE(
      "F1: nothing begins with its claim that no request asks for, or no worker has told of") {
    Claims a;
    a.worker.serves({{a.worker.versions.front(), {.first_step = 0}}});
    start_one(*a.client);
    CHECK_FALSE(a.worker.claim_one().begun.has_value());
    a.worker.serves({{a.worker.versions.front(), {}}});
    start_one(*a.client);
    ExchangeRequest request = a.worker.next(1);
    request.begins_max = 1;
    const auto claimed = a.worker.exchange(request).claimed;
    REQUIRE(claimed.size() == 1);
    CHECK_FALSE(claimed[0].begun.has_value());
  }

  TEST_CASE("S1: priorities count across flows") {
    Claims a;
    a.worker.loads(named("other", one_step()));
    start_one(*a.client, "1", {.priority = 1});
    must(a.client->start("other", {json("2")}, {.priority = 2}));
    start_one(*a.client, "3", {.priority = 3});
    CHECK(inputs(a.worker.claim(2)) == "3 2 ");
    CHECK(inputs(a.worker.claim(2)) == "1 ");
  }

  TEST_CASE("S1: runs of many flows are claimed by priority and age however many each flow has") {
    Claims a;
    std::mt19937 random(7);
    const auto draw = [&](int below) { return static_cast<int>(random() % unsigned(below)); };
    std::vector<std::string> flows;
    for (int i = 0; i < 9; ++i) {
      flows.push_back("flow" + std::to_string(i));
      a.worker.loads(named(flows.back(), one_step()));
    }
    // A few flows have most of the runs, some have none; whole flows stand before others.
    struct Waiting {
      int priority;
      int number;
    };
    std::vector<Waiting> waiting;
    for (int number = 0; number < 300; ++number) {
      const int flow = std::min(draw(9), draw(9)) % 7;
      const int priority = flow == 5 ? 50 : draw(3) - 1;
      must(a.client->start(flows[static_cast<std::size_t>(flow)], {json(std::to_string(number))},
                           {.priority = priority}));
      waiting.push_back({priority, number});
    }
    std::ranges::sort(waiting, {},
                      [](const Waiting& each) { return std::pair(-each.priority, each.number); });
    std::size_t claimed = 0;
    for (const std::size_t room : {1UZ, 3UZ, 10UZ, 40UZ, 2UZ, 100UZ, 200UZ}) {
      std::string expected;
      for (std::size_t i = claimed; i < std::min(claimed + room, waiting.size()); ++i)
        expected += std::to_string(waiting[i].number) + " ";
      const auto runs = a.worker.claim(room);
      CHECK(inputs(runs) == expected);
      claimed += runs.size();
    }
    CHECK(claimed == waiting.size());
  }

  TEST_CASE("no more runs are claimed than are asked for") {
    Claims a;
    must(a.client->start("totals", std::vector<Json>(5), {}));
    CHECK(a.worker.claim(0).empty());
    CHECK(a.worker.claim(2).size() == 2);
    CHECK(a.worker.claim(100).size() == 3);
    CHECK(a.worker.claim(100).empty());
  }

  TEST_CASE("L4: a worker claims the versions it has loaded alone") {
    Claims a;
    TestWorker other(*a.stores);
    other.loads(named("other", one_step()));
    const StartedRun run = start_one(*a.client);
    CHECK(other.claim(10).empty());
    CHECK(TestWorker(*a.stores).claim(10).empty());
    CHECK(must(a.client->summary(run.id)).status == "queued");
    const ClaimedRun claimed = a.worker.claim_one();
    CHECK(claimed.id == run.id);
    CHECK_FALSE(claimed.has_history);
  }

  TEST_CASE("V1: a run is claimed with the version it began with") {
    Claims a;
    start_one(*a.client, "1");
    FlowDraft changed = one_step();
    changed.options.max_attempts = 9;
    const VersionId second = a.worker.loads(changed);
    start_one(*a.client, "2");
    const auto claimed = a.worker.claim(2);
    REQUIRE(claimed.size() == 2);
    CHECK(claimed[0].version == a.worker.versions[0]);
    CHECK(claimed[1].version == second);
  }

  TEST_CASE("S1: a delayed run sleeps and says when it wakes") {
    Claims a;
    const StartedRun run = start_one(*a.client, "1", {.delay = 1h});
    start_one(*a.client, "2", {.delay = 2h});
    const ExchangeReply reply = a.worker.exchange(a.worker.next(10));
    CHECK(reply.claimed.empty());
    REQUIRE(reply.next_wake_at.has_value());
    CHECK(*reply.next_wake_at == must(a.client->summary(run.id)).wake_at);
    CHECK(*reply.next_wake_at <= reply.now + 1h);
  }

  TEST_CASE("S1: a delayed run is claimed once its time has come and not before") {
    Claims a;
    const StartedRun run = start_one(*a.client, "1", {.delay = 200ms});
    const Time wake_at = must(a.client->summary(run.id)).wake_at.value();
    ExchangeReply reply;
    REQUIRE(eventually([&] {
      reply = a.worker.exchange(a.worker.next(10));
      return !reply.claimed.empty();
    }));
    CHECK(reply.now >= wake_at);
    CHECK(reply.claimed[0].available_at == wake_at);
    CHECK_FALSE(reply.next_wake_at.has_value());
  }

  TEST_CASE("a run that slept is claimed by its priority") {
    Claims a;
    start_one(*a.client, "1", {.priority = 1});
    const StartedRun slept = start_one(*a.client, "2", {.delay = 1ms, .priority = 2});
    const Time wake_at = must(a.client->summary(slept.id)).wake_at.value();
    REQUIRE(eventually([&] { return a.worker.exchange(a.worker.next()).now > wake_at; }));
    CHECK(inputs(a.worker.claim(1)) == "2 ");
  }

  TEST_CASE("L5: a run given back is another's at once") {
    Claims a;
    start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    TestWorker other(*a.stores);
    other.versions = a.worker.versions;
    CHECK(other.claim(1).empty());
    ExchangeRequest request = a.worker.next();
    request.released.push_back({run.run, {}});
    a.worker.exchange(request);
    const ClaimedRun again = other.claim_one();
    CHECK(again.run == run.run);
    CHECK(again.has_history);
    CHECK(again.available_at == run.available_at);
  }

  TEST_CASE("a run given back until a time sleeps till then") {
    Claims a;
    const StartedRun started = start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    const Time wake_at = a.worker.exchange(a.worker.next()).now + 1h;
    ExchangeRequest request = a.worker.next(10);
    request.released.push_back({run.run, wake_at});
    const ExchangeReply reply = a.worker.exchange(request);
    CHECK(reply.claimed.empty());
    CHECK(reply.next_wake_at == wake_at);
    CHECK(must(a.client->summary(started.id)).wake_at == wake_at);
    CHECK(must(a.client->summary(started.id)).status == "running");
  }

  TEST_CASE("a run given back until a time that has passed can be claimed in the same exchange") {
    Claims a;
    start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    ExchangeRequest request = a.worker.next(1);
    request.released.push_back({run.run, Time{}});
    const ExchangeReply reply = a.worker.exchange(request);
    REQUIRE(reply.claimed.size() == 1);
    CHECK(reply.claimed[0].run == run.run);
    CHECK(reply.claimed[0].has_history);
  }

  TEST_CASE("L2: a worker gives back and ends its own runs alone") {
    Claims a;
    const StartedRun started = start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    TestWorker other(*a.stores);
    other.versions = a.worker.versions;
    ExchangeRequest request = other.next(1);
    request.released.push_back({run.run, {}});
    request.ended.push_back({run.run, {.output = json("1")}});
    CHECK(other.exchange(request).claimed.empty());
    CHECK(must(a.client->summary(started.id)).status == "running");
    CHECK(other.claim(1).empty());
  }

  TEST_CASE("L2: claimers that race never get the same run and get all of them") {
    Claims a;
    constexpr std::size_t runs_count = 600;
    must(a.client->start("totals", std::vector<Json>(runs_count), {}));
    std::mutex mutex;
    std::multiset<RunKey> all;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, mine = std::make_shared<TestWorker>(*a.stores)] {
          mine->versions = a.worker.versions;
          for (;;) {
            const auto reply = mine->session->exchange(mine->next(7)).value();
            if (reply.claimed.empty() && reply.contended == 0) return;
            const std::lock_guard lock(mutex);
            for (const ClaimedRun& run : reply.claimed) all.insert(run.run);
          }
        });
    }
    CHECK(all.size() == runs_count);
    CHECK(std::set<RunKey>(all.begin(), all.end()).size() == runs_count);
  }
}
