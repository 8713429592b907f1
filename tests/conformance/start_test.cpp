#include <algorithm>
#include <set>
#include <thread>

#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// A store that knows the flow "totals".
struct Started {
  explicit Started(const FlowDraft& draft = one_step()) { worker.loads(draft); }
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
};

Error refused(RunStore& client, std::string_view input, const StartOptions& options = {}) {
  const auto started = client.start("totals", {json(input)}, options);
  REQUIRE_FALSE(started.has_value());
  return started.error();
}

}  // namespace

TEST_SUITE("store: starts") {
  TEST_CASE("S1: a run that was started waits to be claimed with its input") {
    Started a;
    const StartedRun run = start_one(*a.client, R"({"order_id":123})");
    CHECK(run.created);
    REQUIRE(run.id.size() == 36);
    CHECK(run.id[14] == '7');  // UUIDv7
    CHECK(std::string_view("89ab").contains(run.id[19]));
    const RunReport report = must(a.client->report(run.id));
    CHECK(report.summary.status == "queued");
    CHECK(report.summary.flow == "totals");
    CHECK(report.summary.version == 1);
    CHECK(report.input.text() == R"({"order_id": 123})");
    const ClaimedRun claimed = a.worker.claim_one();
    CHECK(claimed.id == run.id);
    CHECK(claimed.input.text() == R"({"order_id": 123})");
    CHECK(claimed.version == a.worker.versions[0]);
    CHECK_FALSE(claimed.has_history);
  }

  TEST_CASE("S1: run ids sort by the time of their start") {
    Started a;
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i) {
      ids.push_back(start_one(*a.client).id.substr(0, 13));  // 48 bits of milliseconds
      std::this_thread::sleep_for(2ms);                      // two never within the same one
    }
    CHECK(std::ranges::is_sorted(ids));
    CHECK(std::set(ids.begin(), ids.end()).size() == 5);
  }

  TEST_CASE("S1: the caller may choose the run id and none is used twice") {
    Started a;
    const std::string id = "0191d7a0-0000-7000-8000-000000000001";
    CHECK(start_one(*a.client, "null", {.run_ids = {id}}).id == id);
    const Error error = refused(*a.client, "null", {.run_ids = {id}});
    CHECK(error.code == ErrorCode::conflict);
    CHECK(must(a.client->runs({})).size() == 1);
  }

  TEST_CASE("S1: a new run is of the newest version unless another is named") {
    Started a;
    FlowDraft changed = one_step();
    changed.options.max_attempts = 9;
    a.worker.loads(changed);
    CHECK(must(a.client->summary(start_one(*a.client).id)).version == 2);
    CHECK(must(a.client->summary(start_one(*a.client, "null", {.version = 1}).id)).version == 1);
  }

  TEST_CASE("S1: a version that is not known is refused with those that are") {
    Started a;
    const Error error = refused(*a.client, "null", {.version = 7});
    CHECK(error.code == ErrorCode::not_found);
    CHECK(error.message == "no flow \"totals\" version 7 in this database");
    CHECK(error.hint == "the newest version is 1");
    const auto flow = a.client->flow("totals", 7);
    REQUIRE_FALSE(flow.has_value());
    CHECK(flow.error() == error);
  }

  TEST_CASE("S1: a priority out of range is refused") {
    Started a;
    for (const int priority : {-101, 101, 40'000}) {
      const Error error = refused(*a.client, "null", {.priority = priority});
      CHECK(error.code == ErrorCode::invalid_input);
      CHECK(error.message == "priority " + std::to_string(priority) + " is out of range");
      CHECK(error.hint == "from -100 to 100");
    }
    CHECK(must(a.client->runs({})).empty());
  }

  TEST_CASE("S1: a time to start at that is far away is refused and so is such a delay") {
    Started a;
    const auto far = [](int year) {
      return Time{std::chrono::sys_days(std::chrono::year(year) / 1 / 1)};
    };
    for (const Time at :
         {Time::min(), far(-4000), far(0), far(10'000), Time::max(), on_notification_only})
      CHECK(refused(*a.client, "null", {.at = at}).code == ErrorCode::invalid_input);
    for (const auto delay : {std::chrono::milliseconds::max(), std::chrono::milliseconds::min(),
                             std::chrono::milliseconds(std::chrono::years(1'001))})
      CHECK(refused(*a.client, "null", {.delay = delay}).code == ErrorCode::invalid_input);
    CHECK(must(a.client->runs({})).empty());
    start_one(*a.client, "null", {.at = far(9'999)});
    start_one(*a.client, "null", {.at = far(1)});
    CHECK(a.worker.claim(5).size() == 1);
  }

  TEST_CASE("S1: a delay is counted from the start and told") {
    Started a;
    const RunSummary run =
        must(a.client->summary(start_one(*a.client, "null", {.delay = 90min}).id));
    REQUIRE(run.wake_at.has_value());
    CHECK(*run.wake_at == run.created_at + 90min);
    CHECK(run.status == "queued");
  }

  TEST_CASE("S2: an unknown slug is refused with the nearest") {
    Started a;
    a.worker.loads(named("process_order", one_step()));
    const auto started = a.client->start("proces_order", {Json()}, {});
    REQUIRE_FALSE(started.has_value());
    CHECK(started.error().code == ErrorCode::not_found);
    CHECK(started.error().message == "no flow \"proces_order\" in this database");
    CHECK(started.error().hint == "did you mean \"process_order\"?");
    CHECK(a.client->flow("Process_Order", {}).error().hint == "did you mean \"process_order\"?");
    CHECK(a.client->runs({.flow = "total"}).error().hint == "did you mean \"totals\"?");
  }

  TEST_CASE("S2: where nothing is near the hint tells what is known") {
    Started a;
    a.worker.loads(named("article", one_step()));
    const auto started = a.client->start("zzz", {Json()}, {});
    REQUIRE_FALSE(started.has_value());
    CHECK(started.error().hint == "known flows: article, totals");
    const auto nothing = fresh_stores()->client_session()->start("zzz", {Json()}, {});
    REQUIRE_FALSE(nothing.has_value());
    CHECK(nothing.error().hint ==
          "no flow is registered yet: a worker registers those it has loaded");
  }

  TEST_CASE("S3: a flow with a root map refuses what is no array") {
    Started a(flow({of_kind("map", "each")}));
    const std::pair<const char*, const char*> inputs[] = {{"null", "null"},
                                                          {"true", "a boolean"},
                                                          {"12", "a number"},
                                                          {R"("[]")", "a string"},
                                                          {"{}", "an object"}};
    for (const auto& [input, type] : inputs) {
      const Error error = refused(*a.client, input);
      CHECK(error.code == ErrorCode::invalid_input);
      CHECK(error.message ==
            std::string("flow \"totals\" maps over its input, which must be an array, not ") +
                type);
      CHECK(error.hint == "give one element for each task");
    }
    CHECK(must(a.client->runs({})).empty());
    CHECK(start_one(*a.client, "[]").created);
  }

  TEST_CASE("S3: an input that does not fit the flow's input schema is refused with the pointer") {
    const auto stores = fresh_stores();
    TestWorker worker(*stores);
    FlowDraft draft = one_step();
    draft.input_schema = json(R"({"properties": {"id": {"type": "integer"}}})");
    worker.loads(draft);
    const auto client = stores->client_session();
    must(client->start("totals", {json(R"({"id": 1.0})")}, {}));
    const auto refused = client->start("totals", {json(R"({"id": 1.5})")}, {});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::invalid_input);
    CHECK(refused.error().message == "/id: expected an integer, got a fraction");
    CHECK(worker.claim(5).size() == 1);
  }

  TEST_CASE("S3: one bad input of many starts none") {
    Started a(flow({of_kind("map", "each")}));
    CHECK_FALSE(a.client->start("totals", {json("[1]"), json("{}"), json("[]")}, {}).has_value());
    CHECK(must(a.client->runs({})).empty());
  }

  TEST_CASE("S4: the same key gives the run that exists") {
    Started a;
    const StartedRun first = start_one(*a.client, "1", {.idempotency_keys = {"k"}});
    const StartedRun second = start_one(*a.client, "2", {.idempotency_keys = {"k"}});
    CHECK(first.created);
    CHECK_FALSE(second.created);
    CHECK(second.id == first.id);
    CHECK(must(a.client->report(first.id)).input == json("1"));
    CHECK(must(a.client->runs({})).size() == 1);
  }

  TEST_CASE("S4: keys belong to their flow whatever its version") {
    Started a;
    a.worker.loads(named("other", one_step()));
    const StartedRun first = start_one(*a.client, "1", {.idempotency_keys = {"k"}});
    CHECK(must(a.client->start("other", {Json()}, {.idempotency_keys = {"k"}}))[0].created);
    FlowDraft changed = one_step();
    changed.options.max_attempts = 9;
    a.worker.loads(changed);
    CHECK(start_one(*a.client, "1", {.idempotency_keys = {"k"}}).id == first.id);
  }

  TEST_CASE("S4: the same key gives the run after it ended as well") {
    Started a;
    const StartedRun first = start_one(*a.client, "1", {.idempotency_keys = {"k"}});
    a.worker.ends(a.worker.claim_one().run, {.output = json("5")});
    const StartedRun again = start_one(*a.client, "1", {.idempotency_keys = {"k"}});
    CHECK_FALSE(again.created);
    CHECK(again.id == first.id);
  }

  TEST_CASE("S4: of a hundred callers that race for a key one starts the run") {
    Started a;
    constexpr int threads_count = 20;
    std::vector<std::vector<StartedRun>> started(threads_count);
    {
      std::vector<std::jthread> threads;
      for (auto& mine : started)
        threads.emplace_back([&, client = std::shared_ptr(a.stores->client_session())] {
          for (int call = 0; call < 5; ++call)
            mine.push_back(
                client->start("totals", {Json()}, {.idempotency_keys = {"k"}}).value().at(0));
        });
    }
    std::set<std::string> ids;
    std::ptrdiff_t calls = 0;
    std::ptrdiff_t created = 0;
    for (const auto& mine : started) {
      calls += std::ssize(mine);
      created += std::ranges::count(mine, true, &StartedRun::created);
      for (const StartedRun& run : mine) ids.insert(run.id);
    }
    CHECK(calls == 100);
    CHECK(ids.size() == 1);
    CHECK(created == 1);
    CHECK(a.worker.claim(10).size() == 1);
  }

  TEST_CASE("S4: callers that race with many keys in any order all get their runs") {
    Started a;
    constexpr std::size_t threads_count = 8;
    const std::vector<std::string> keys = {"a", "b", "c", "d", "e", "f", "g", "h"};
    std::vector<Result<std::vector<StartedRun>>> started(threads_count);
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < threads_count; ++i)
        threads.emplace_back([&, i, client = std::shared_ptr(a.stores->client_session())] {
          auto mine = keys;
          std::ranges::rotate(mine, mine.begin() + static_cast<std::ptrdiff_t>(i));
          started[i] =
              client->start("totals", std::vector<Json>(mine.size()), {.idempotency_keys = mine});
        });
    }
    std::ptrdiff_t created = 0;
    for (const auto& mine : started)
      created += std::ranges::count(must(mine), true, &StartedRun::created);
    CHECK(created == 8);
    CHECK(must(a.client->runs({})).size() == 8);
  }

  TEST_CASE("S4: a key that cannot be kept is refused") {
    Started a;
    for (const std::string& key : {std::string(), std::string(256, 'k')}) {
      const Error error = refused(*a.client, "null", {.idempotency_keys = {key}});
      CHECK(error.code == ErrorCode::invalid_input);
      CHECK(error.message == "an idempotency key of " + std::to_string(key.size()) + " bytes");
      CHECK(error.hint == "from 1 to 255 bytes");
    }
    CHECK(start_one(*a.client, "null", {.idempotency_keys = {std::string(255, 'k')}}).created);
  }

  TEST_CASE("S5: many runs are started in the order of their inputs") {
    Started a;
    std::vector<Json> inputs;
    for (int i = 0; i < 1'000; ++i) inputs.push_back(Json::number(i));
    const auto started = must(a.client->start("totals", inputs, {}));
    REQUIRE(started.size() == 1'000);
    const auto claimed = a.worker.claim(2'000);
    REQUIRE(claimed.size() == 1'000);
    for (std::size_t i = 0; i < 1'000; ++i) {
      REQUIRE(claimed[i].input == inputs[i]);
      REQUIRE(claimed[i].id == started[i].id);
    }
  }

  TEST_CASE("S5: among many runs those whose key exists are told apart") {
    Started a;
    const StartedRun first = start_one(*a.client, "0", {.idempotency_keys = {"b"}});
    const auto started =
        must(a.client->start("totals", {json("1"), json("2"), json("3"), json("4")},
                             {.idempotency_keys = {"a", "b", "c", "a"}}));
    REQUIRE(started.size() == 4);
    CHECK(started[0].created);
    CHECK_FALSE(started[1].created);
    CHECK(started[1].id == first.id);
    CHECK(started[2].created);
    CHECK_FALSE(started[3].created);
    CHECK(started[3].id == started[0].id);
    CHECK(must(a.client->runs({})).size() == 3);
  }

  TEST_CASE("S5: keys or run ids that are not one for each input are refused") {
    Started a;
    const std::string id = "0191d7a0-0000-7000-8000-000000000001";
    for (const StartOptions& options :
         {StartOptions{.idempotency_keys = {"a"}}, StartOptions{.run_ids = {id}}}) {
      const auto started = a.client->start("totals", {Json(), Json()}, options);
      REQUIRE_FALSE(started.has_value());
      CHECK(started.error().code == ErrorCode::invalid_input);
      CHECK(started.error().message.ends_with(" for 2 inputs"));
      CHECK(started.error().hint == "give none, or one for each input");
    }
    CHECK(must(a.client->runs({})).empty());
  }

  TEST_CASE("S5: no inputs start no runs") {
    Started a;
    CHECK(must(a.client->start("totals", {}, {})).empty());
  }

  TEST_CASE("P8: an input is claimed as it was given") {
    Started a;
    for (const char* value :
         {"false", "0", R"("")", "null", "9223372036854775807", "-9223372036854775808",
          "18446744073709551615", "0.30000000000000004", "1.2345678901234567",
          R"("ü 漢 🌊 \" \\ {\"} , NULL \n")", "[]", "{}", R"({"a": [null, {"b": ""}]})"}) {
      start_one(*a.client, value);
      CHECK(a.worker.claim_one().input.text() == value);
    }
  }
}
