#include <set>
#include <thread>

#include <fmt/format.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/postgres_maintenance_store.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
using Rows = std::vector<std::string>;

namespace {

// A database that knows the flow "totals", and a schedule of it.
struct Schedules {
  Schedules() { worker.loads(one_step()); }
  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<MaintenanceStore> store =
      must(postgres::open_maintenance_store(stores.url(), true));

  void add(ScheduleSpec spec) {
    if (spec.name.empty()) spec.name = "often";
    if (spec.flow.empty()) spec.flow = "totals";
    if (spec.cron.empty()) spec.cron = "@every 1s";
    must(store->schedule(spec));
  }

  // Each hour, and not within minutes of now: a tick that just was would be on time.
  std::string hourly() {
    return stores
        .sql(
            "select extract(minute from (now() + interval '30 minutes') at time zone "
            "'UTC')::int || ' * * * *'")
        .at(0);
  }

  // As if its next tick had been so long ago.
  void due(const std::string& ago, const std::string& name = "often") {
    stores.sql(
        fmt::format("update weir.schedule set next_at = date_trunc('second', "
                    "clock_timestamp()) - interval '{}' where name = '{}'",
                    ago, name));
  }

  ScheduleReport only() {
    auto all = must(store->schedules());
    REQUIRE(all.size() == 1);
    return all[0];
  }

  std::int64_t runs() { return std::stoll(stores.sql("select count(*) from weir.run").at(0)); }
};

}  // namespace

TEST_SUITE("postgres: schedules") {
  TEST_CASE("C5: a tick starts the flow with what the schedule says") {
    Schedules a;
    a.add({.input = json("{\"shop\": 7}"), .priority = 5, .tags = {"x", "a b"}});
    a.due("1 second");
    const auto due = a.only().next_at;
    const TickReport tick = must(a.store->tick());
    CHECK(tick.started >= 2);  // that second and this one
    REQUIRE((due.has_value() && a.only().last_at.has_value()));
    CHECK(tick.started == (*a.only().last_at - *due) / 1s + 1);  // one for each second
    REQUIRE(tick.next_at.has_value());
    CHECK(*tick.next_at > tick.now - 100ms);
    CHECK(*tick.next_at <= tick.now + 1s);
    CHECK(a.stores.sql("select distinct input || jsonb_build_object('p', priority, 't', tags) from "
                       "weir.runs") ==
          Rows{R"({"p": 5, "t": ["x", "a b", "schedule:often"], "shop": 7})"});
    const ScheduleReport report = a.only();
    CHECK(report.status == "active");
    CHECK(report.error.empty());
    CHECK(report.spec.tags == std::vector<std::string>{"x", "a b"});
    CHECK(a.stores.sql("select (last_at <= clock_timestamp())::text from weir.schedules") ==
          Rows{"true"});
    CHECK(a.stores.sql("select count(*) from weir.runs where run_id = '" + report.last_run + "'") ==
          Rows{"1"});
  }

  TEST_CASE("C5: however many call at once each tick is one run") {
    Schedules a;
    for (const char* name : {"one", "two", "three"}) {
      a.add({.name = name});
      a.due("10 seconds", name);
    }
    std::atomic<std::int64_t> started{0};
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 6; ++i)
        threads.emplace_back([&] {
          const auto store = must(postgres::open_maintenance_store(a.stores.url(), false));
          for (int look = 0; look < 5; ++look) started += must(store->tick()).started;
        });
    }
    CHECK(started == a.runs());
    CHECK(started >= 33);
    CHECK(a.stores.sql("select count(*) from weir.run group by idempotency_key having count(*) > 1")
              .empty());
  }

  TEST_CASE("C5: ticks that nobody started are one run or none as the schedule says") {
    for (const char* const missed : {"run", "skip"}) {
      Schedules a;
      a.add({.cron = a.hourly(), .missed = missed});
      a.due("3 hours");
      CHECK(must(a.store->tick()).started == (missed == std::string("run") ? 1 : 0));
      CHECK(must(a.store->tick()).started == 0);
      CHECK(a.only().next_at > must(a.store->tick()).now);
    }
  }

  TEST_CASE("C5: a flow that is not known yet is waited for") {
    Schedules a;
    a.add({.name = "later", .flow = "coming"});
    a.due("0 seconds", "later");
    const TickReport tick = must(a.store->tick());
    CHECK(tick.started == 0);
    REQUIRE(tick.next_at.has_value());
    CHECK(*tick.next_at > tick.now + 1s);  // nobody spins
    CHECK(a.only().status == "waiting");
    CHECK(a.only().error == "no flow \"coming\" in this database");
    std::jthread comes([&] { TestWorker(a.stores).loads(named("coming", one_step())); });
    a.store->wait(10s);  // it is notified
    comes.join();
    CHECK(must(a.store->tick()).started >= 1);
    CHECK(a.only().status == "active");
    CHECK(a.only().error.empty());
  }

  TEST_CASE("C5: a start that is refused is told and the schedule goes on") {
    Schedules a;
    FlowDraft map = one_step();
    map.steps[0].kind = "map";
    a.worker.loads(named("mapped", map));
    a.add({.name = "bad", .flow = "mapped", .input = json("{}")});
    a.due("0 seconds", "bad");
    CHECK(must(a.store->tick()).started == 0);
    CHECK(a.only().status == "active");
    CHECK(a.only().error.contains("maps over its input"));
    CHECK(a.only().next_at > a.only().last_at);
  }

  TEST_CASE("C5: a schedule whose time zone is gone is paused with its error and others go on") {
    Schedules a;
    for (const char* name : {"before", "gone", "later"})
      a.add({.name = name, .cron = a.hourly(), .time_zone = "Europe/Berlin"});
    a.due("3 seconds", "gone");
    a.due("2 seconds", "before");
    a.due("1 second", "later");
    a.stores.sql("update weir.schedule set time_zone = 'Mars/Olympus' where name = 'gone'");
    CHECK(must(a.store->tick()).started == 3);
    CHECK(must(a.store->tick()).started == 0);
    for (const ScheduleReport& report : must(a.store->schedules())) {
      CAPTURE(report.spec.name);
      const bool is_gone = report.spec.name == "gone";
      CHECK(report.status == (is_gone ? "paused" : "active"));
      CHECK(report.error == (is_gone ? R"(time zone "Mars/Olympus" not recognized)" : ""));
    }
    a.stores.sql("update weir.schedule set time_zone = 'UTC' where name = 'gone'");
    a.stores.sql("select weir.resume_schedule('gone')");
    for (const ScheduleReport& report : must(a.store->schedules())) {
      CHECK(report.status == "active");
      CHECK(report.error.empty());
    }
  }

  TEST_CASE("C5: a paused schedule starts nothing and resumes with its next tick") {
    Schedules a;
    a.add({.cron = a.hourly()});
    CHECK(must(a.store->pause_schedule("often")));
    CHECK_FALSE(must(a.store->pause_schedule("often")));
    a.due("1 hour");
    CHECK(must(a.store->tick()).started == 0);
    CHECK_FALSE(must(a.store->tick()).next_at.has_value());
    CHECK(a.only().status == "paused");
    CHECK_FALSE(a.only().next_at.has_value());
    CHECK(must(a.store->resume_schedule("often")));
    CHECK_FALSE(must(a.store->resume_schedule("often")));
    CHECK(must(a.store->tick()).started == 0);
    CHECK(a.only().next_at > must(a.store->tick()).now);
  }

  TEST_CASE("C5: a schedule is changed by its name and ended by it") {
    Schedules a;
    a.add({.cron = "@every 1d", .input = json("1")});
    const auto before = a.only().next_at;
    a.add({.cron = "@every 1d", .input = json("2")});
    CHECK(a.only().next_at == before);
    CHECK(a.only().spec.input.text() == "2");
    a.add({.cron = "@every 2d"});
    CHECK(a.only().spec.cron == "@every 2d");
    CHECK(a.only().next_at >= before);  // the same at the end of every other day
    CHECK(must(a.store->unschedule("often")));
    CHECK_FALSE(must(a.store->unschedule("often")));
    CHECK(must(a.store->schedules()).empty());
  }

  TEST_CASE("C5: changes of schedules are told to who waits") {
    Schedules a;
    must(a.store->tick());
    const std::jthread other([&] {
      const auto store = must(postgres::open_maintenance_store(a.stores.url(), false));
      must(store->schedule({.name = "new", .flow = "totals", .cron = "@daily"}));
    });
    const auto begin = std::chrono::steady_clock::now();
    a.store->wait(30s);
    CHECK(std::chrono::steady_clock::now() - begin < 20s);
  }

  TEST_CASE("C5: what is out of range is refused with what may be meant") {
    Schedules a;
    const auto refused = [&](const ScheduleSpec& spec) {
      const auto done = a.store->schedule(spec);
      REQUIRE_FALSE(done);
      CHECK(done.error().code == ErrorCode::invalid_input);
      return to_string(done.error());
    };
    CHECK(
        refused({.name = "a", .flow = "totals", .cron = "@daily", .time_zone = "europe/berlin"}) ==
        "no time zone \"europe/berlin\" (did you mean \"Europe/Berlin\"?)");
    CHECK(refused({.name = "", .flow = "totals", .cron = "@daily"})
              .starts_with("a schedule's name of 0 bytes"));
    CHECK(refused({.name = "a", .flow = "to tals", .cron = "@daily"})
              .starts_with("\"to tals\" is no slug"));
    CHECK(refused({.name = "a", .flow = "totals", .cron = "@daily", .priority = 101})
              .starts_with("priority 101 is out of range"));
    CHECK(refused({.name = "a", .flow = "totals", .cron = "@daily", .missed = "never"})
              .starts_with("missed: \"never\" is neither run nor skip"));
    a.add({.name = "nightly"});
    const auto absent = a.store->pause_schedule("nightyl");
    REQUIRE_FALSE(absent);
    CHECK(to_string(absent.error()) == "no schedule \"nightyl\" (did you mean \"nightly\"?)");
  }
}
