// weir.cron_next against a reading of the same fields by brute force: every minute of a stretch, by
// PostgreSQL's own clocks.
#include <array>
#include <random>

#include <fmt/format.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/postgres_maintenance_store.hpp"
#include "support/admin_session.hpp"
#include "support/seeds.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

namespace {

std::string next(AdminSession& sql, const std::string& cron, const std::string& zone,
                 const std::string& after) {
  sql.run("set time zone 'UTC'");
  return sql.run(fmt::format("select weir.cron_next('{}', '{}', '{}')", cron, zone, after)).at(0);
}

std::string refused(PostgresUnderTest& stores, const std::string& cron,
                    const std::string& zone = "UTC") {
  const auto store = must(postgres::open_maintenance_store(stores.url(), false));
  const auto ticks = store->ticks(cron, zone, 1);
  REQUIRE_FALSE(ticks);
  CHECK(ticks.error().code == ErrorCode::invalid_input);
  return to_string(ticks.error());
}

// The ticks after `from` within some days, by looking at every minute: a minute is one if a clock
// on the wall shows a time that fits for the first time, or has just skipped such times.
constexpr const char* brute_force = R"(
  with minute as (
    select t, t at time zone '{1}' as local, (t - interval '1 minute') at time zone '{1}' as before
    from generate_series('{2}'::timestamptz, '{2}'::timestamptz + interval '{3}', interval '1 minute') as t),
  shown as (  -- what it shows for the first time: usually one minute, none while clocks repeat, many after a gap
    select m.t, l.local from minute m
    cross join lateral generate_series(m.before + interval '1 minute', m.local, interval '1 minute') as l(local)
    where m.before < m.local
      and not exists (select from minute e where e.t < m.t and e.t > m.t - interval '4 hours' and e.local >= l.local))
  select distinct s.t from shown s
  where extract(minute from s.local)::int = any (weir.cron_field('', 'minute', '{4}', 0, 59))
    and extract(hour from s.local)::int = any (weir.cron_field('', 'hour', '{5}', 0, 23))
    and extract(month from s.local)::int = any (weir.cron_field('', 'month', '{7}', 1, 12))
    and case when '{6}' not like '*%' and '{8}' not like '*%'
             then extract(day from s.local)::int = any (weir.cron_field('', 'day', '{6}', 1, 31))
               or extract(dow from s.local)::int = any (weir.cron_field('', 'weekday', '{8}', 0, 7))
             else extract(day from s.local)::int = any (weir.cron_field('', 'day', '{6}', 1, 31))
              and extract(dow from s.local)::int = any (weir.cron_field('', 'weekday', '{8}', 0, 7)) end
    and s.t > '{2}'::timestamptz + interval '5 hours' order by s.t)";

class RandomFields {
 public:
  explicit RandomFields(std::mt19937_64& random) : random_(random) {}

  std::string field(int least, int most, bool mostly_any) {
    if (pick(4) > (mostly_any ? 0 : 1)) return "*";
    const int first = least + pick(most - least + 1);
    switch (pick(4)) {
      case 0:
        return std::to_string(first);
      case 1:
        return fmt::format("{}-{}", first, first + pick(most - first + 1));
      case 2:
        return fmt::format("*/{}", 1 + pick(most));
      default:
        return fmt::format("{},{}", first, least + pick(most - least + 1));
    }
  }
  int pick(int below) { return static_cast<int>(random_() % static_cast<std::uint64_t>(below)); }

 private:
  std::mt19937_64& random_;
};

}  // namespace

TEST_SUITE("postgres: cron") {
  TEST_CASE("C5: cron is read as a look at every minute reads it in any time zone") {
    const PostgresUnderTest stores;
    AdminSession sql(stores.url());
    sql.run("set time zone 'UTC'");
    constexpr std::array<const char*, 5> zones = {"Europe/Berlin", "America/New_York",
                                                  "Asia/Kathmandu", "UTC", "Australia/Lord_Howe"};
    constexpr std::array<const char*, 6> starts = {"2026-03-28 06:00", "2026-10-24 05:00",
                                                   "2026-03-07 12:00", "2026-11-01 00:00",
                                                   "2026-04-04 02:00", "2026-10-03 03:00"};
    for_seeds(15, [&](std::mt19937_64& engine) {
      RandomFields random(engine);
      const std::string zone = zones[static_cast<std::size_t>(random.pick(5))];
      const std::string start = starts[static_cast<std::size_t>(random.pick(6))];
      const std::array<std::string, 5> fields = {
          random.field(0, 59, false), random.field(0, 23, false), random.field(1, 31, true),
          random.field(1, 12, true), random.field(0, 6, true)};
      const std::string cron = fmt::format("{}", fmt::join(fields, " "));
      INFO("'" << cron << "' in " << zone << " from " << start);
      const Rows truth = sql.run(fmt::format(brute_force, "", zone, start, "3 days", fields[0],
                                             fields[1], fields[2], fields[3], fields[4]));
      if (truth.empty()) return;
      const Rows found = sql.run(
          fmt::format("with recursive tick(at) as (select weir.cron_next('{0}', '{1}', "
                      "'{2}'::timestamptz + interval '5 hours') union all select "
                      "weir.cron_next('{0}', '{1}', at) from tick where at < '{3}'::timestamptz) "
                      "select at from tick",
                      cron, zone, start, truth.back()));
      CHECK(found == truth);
    });
  }

  TEST_CASE("C5: a local time that clocks skip is due at the next that exists and once") {
    const PostgresUnderTest stores;
    AdminSession sql(stores.url());
    CHECK(next(sql, "30 2 * * *", "Europe/Berlin", "2026-03-28 12:00+00") ==
          "2026-03-29 01:00:00+00");
    CHECK(next(sql, "*/15 2,3 * * *", "Europe/Berlin", "2026-03-29 00:00+00") ==
          "2026-03-29 01:00:00+00");
    CHECK(next(sql, "*/15 2,3 * * *", "Europe/Berlin", "2026-03-29 01:00+00") ==
          "2026-03-29 01:15:00+00");
    CHECK(next(sql, "10 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00+00") ==
          "2026-10-03 15:30:00+00");
    CHECK(next(sql, "0 12 * * *", "Pacific/Apia", "2011-12-30 00:00+00") ==
          "2011-12-30 10:00:00+00");  // a whole day that never was
  }

  TEST_CASE("C5: a local time that clocks show twice is due the first time alone") {
    const PostgresUnderTest stores;
    AdminSession sql(stores.url());
    CHECK(next(sql, "30 2 * * *", "Europe/Berlin", "2026-10-24 12:00+00") ==
          "2026-10-25 00:30:00+00");
    CHECK(next(sql, "30 2 * * *", "Europe/Berlin", "2026-10-25 00:30+00") ==
          "2026-10-26 01:30:00+00");
    CHECK(next(sql, "* * * * *", "America/New_York", "2026-11-01 05:59+00") ==
          "2026-11-01 07:00:00+00");
  }

  TEST_CASE("C5: names and words and leap days") {
    const PostgresUnderTest stores;
    AdminSession sql(stores.url());
    const std::string after = "2026-11-21 22:30:10+00";  // a Saturday
    CHECK(next(sql, "0 6 * * MON-fri", "UTC", after) == "2026-11-23 06:00:00+00");
    CHECK(next(sql, "0 6 * * 7", "UTC", after) == "2026-11-22 06:00:00+00");
    CHECK(next(sql, "0 6 * * fri-sun", "UTC", after) == "2026-11-22 06:00:00+00");
    CHECK(next(sql, "0 0 13 * fri", "UTC", after) == "2026-11-27 00:00:00+00");   // either
    CHECK(next(sql, "0 0 */2 * fri", "UTC", after) == "2026-11-27 00:00:00+00");  // both
    CHECK(next(sql, "0 0 29 feb *", "UTC", after) == "2028-02-29 00:00:00+00");
    CHECK(next(sql, "0 0 29 feb *", "UTC", "2096-03-01 00:00+00") == "2104-02-29 00:00:00+00");
    CHECK(next(sql, "5/20 * * * *", "UTC", after) == "2026-11-21 22:45:00+00");
    CHECK(next(sql, "@hourly", "UTC", after) == "2026-11-21 23:00:00+00");
    CHECK(next(sql, "@daily", "Asia/Kathmandu", after) == "2026-11-22 18:15:00+00");
    CHECK(next(sql, "@weekly", "UTC", after) == "2026-11-22 00:00:00+00");
    CHECK(next(sql, "@monthly", "UTC", after) == "2026-12-01 00:00:00+00");
    CHECK(next(sql, "@yearly", "UTC", after) == "2027-01-01 00:00:00+00");
    CHECK(next(sql, "@every 90s", "UTC", after) == "2026-11-21 22:31:30+00");
    CHECK(next(sql, "@every 1h30m", "UTC", after) == "2026-11-22 00:00:00+00");
  }

  TEST_CASE("C5: what is no expression is refused by the name of its field and the word") {
    PostgresUnderTest stores;
    CHECK(refused(stores, "61 * * * *")
              .starts_with("cron \"61 * * * *\": minute \"61\" is not 0 to 59"));
    CHECK(refused(stores, "0 1-25 * * *")
              .starts_with("cron \"0 1-25 * * *\": hour \"1-25\": \"25\" is not 0 to 23"));
    CHECK(refused(stores, "0 0 0 * *")
              .starts_with("cron \"0 0 0 * *\": day of month \"0\" is not 1 to 31"));
    CHECK(refused(stores, "0 0 1 juli *")
              .starts_with("cron \"0 0 1 juli *\": month \"juli\" is not 1 to 12 or jan to dec"));
    CHECK(refused(stores, "0 0 1 * 5-1")
              .starts_with("cron \"0 0 1 * 5-1\": day of week \"5-1\" runs backwards"));
    CHECK(refused(stores, "*/0 0 1 * *")
              .starts_with("cron \"*/0 0 1 * *\": minute \"*/0\": a step of 0 gets nowhere"));
    CHECK(refused(stores, "1,,2 0 1 * *")
              .starts_with("cron \"1,,2 0 1 * *\": minute \"1,,2\" has an empty place"));
    CHECK(refused(stores, "0 0 1 *").starts_with("cron \"0 0 1 *\": 4 fields, not 5"));
    CHECK(refused(stores, "").starts_with("cron \"\": 0 fields, not 5"));
    CHECK(refused(stores, "@noon").starts_with("cron \"@noon\": no such word"));
    CHECK(refused(stores, "@every 1.5s")
              .starts_with("cron \"@every 1.5s\": \"1.5s\" is no duration"));
    CHECK(refused(stores, "@every 0s").starts_with("cron \"@every 0s\": \"0s\" is out of range"));
    CHECK(refused(stores, "0 0 31 2 *").starts_with("cron \"0 0 31 2 *\" is never due"));
    CHECK(refused(stores, "0 0 31 4,6,9,11 *").contains("is never due"));
    CHECK(refused(stores, "@daily", "Europe/Belin").contains("Europe/Belin"));
  }
}
