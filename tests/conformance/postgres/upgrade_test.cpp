// Programs of two versions on one database: what each can do, and what it says.
#include <algorithm>
#include <atomic>
#include <optional>
#include <stop_token>
#include <thread>

#include <fmt/format.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/migrate.hpp"
#include "store/postgres/schema_state.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using postgres::program_schema;
using postgres::Schema;
using postgres::SqlFile;
using Rows = std::vector<std::string>;

namespace {

void replace(std::vector<SqlFile>& files, const std::string& name, std::string_view old_text,
             std::string_view new_text) {
  const auto file = std::ranges::find(files, name, &SqlFile::name);
  REQUIRE(file != files.end());
  const std::size_t at = file->text.find(old_text);
  REQUIRE(at != std::string::npos);
  file->text.replace(at, old_text.size(), new_text);
}

// What the next release might install: a column, a function that takes more, a new one.
Schema next_schema() {
  Schema next = program_schema();
  next.migrations.push_back(
      {.name = "0999_next", .text = "alter table weir.run add column mood text;\n"});
  replace(next.functions, "exchange", "p_changes boolean default false,",
          "p_changes boolean default false, p_mood text default null,");
  next.functions.push_back({.name = "mood",
                            .text = "create or replace function weir.mood() returns text "
                                    "language sql as 'select ''good''';\n"});
  return next;
}

Rows code_of(const std::string& url) {
  return AdminSession(url).run(
      "select md5(string_agg(pg_get_functiondef(oid), ',' order by oid::regprocedure::text)) from "
      "pg_proc where pronamespace = 'weir'::regnamespace");
}

std::string name_of(const std::string& url) {
  return AdminSession(url).run("select current_database()").at(0);
}

// Starts and works off one run after the other, with the calls of this program.
class Load {
 public:
  explicit Load(PostgresUnderTest& stores)
      : thread_([this, &stores](const std::stop_token& stop) { work(stores, stop); }) {}

  bool goes_on() const {
    return eventually([this, before = done_.load()] { return done_ > before + 20; });
  }
  void end() {
    thread_.request_stop();
    thread_.join();
    CHECK(fmt::format("{}", fmt::join(errors_, "\n")) == "");
  }

 private:
  void work(PostgresUnderTest& stores, const std::stop_token& stop) {
    TestWorker worker(stores);
    worker.loads(one_step());
    const auto client = stores.client_session();
    while (!stop.stop_requested()) {
      if (!answered([&] { return client->start("totals", {Json()}, {}); })) return;
      std::vector<ClaimedRun> claimed;
      const bool has_run = eventually([&] {
        const ExchangeRequest request = worker.next(1);
        const auto reply = answered([&] { return worker.session->exchange(request); });
        if (reply) claimed = reply->claimed;
        return !reply || !claimed.empty();
      });
      if (!has_run || claimed.empty()) return;
      ExchangeRequest request = worker.next();
      const RunKey run = claimed[0].run;
      request.settled = {{.run = run, .row = completed(0, 0, 1, "7"), .plugin = {}}};
      const bool has_ended = eventually([&] {  // it is sent again while its run is busy
        request.ended = {{.run = run, .end = {.output = json("7")}}};
        const auto reply = answered([&] { return worker.session->exchange(request); });
        if (!reply || reply->busy.empty()) return true;
        request = worker.next();
        return false;
      });
      if (!has_ended || !errors_.empty()) return;
      ++done_;
    }
  }

  // The answer; the call is repeated, as by a worker, while it waits for a lock of the migration.
  // nullopt after another error, which end() reports.
  template <class Call>
  auto answered(Call&& call) -> std::optional<typename decltype(call())::value_type> {
    auto result = call();
    eventually([&] {
      if (result || result.error().kind != "try_again") return true;
      result = call();
      return false;
    });
    if (result) return *std::move(result);
    errors_.push_back(to_string(result.error()));
    return std::nullopt;
  }

  std::atomic<int> done_ = 0;
  std::vector<std::string> errors_;
  std::jthread thread_;  // ends before what it uses
};

}  // namespace

TEST_SUITE("postgres: upgrades") {
  TEST_CASE("M2: programs of the version before work on while a new one migrates and afterwards") {
    PostgresUnderTest stores;
    Load load(stores);
    REQUIRE(load.goes_on());
    const MigrationReport report = must(postgres::migrate(stores.url(), next_schema()));
    CHECK(report.applied == Rows{"0999_next"});
    CHECK(report.replaces_code);
    CHECK(load.goes_on());
    {
      Load beside(stores);  // also one that is started only now
      CHECK(beside.goes_on());
      beside.end();
    }
    load.end();
    CHECK(stores.sql("select run_id from weir.runs where status <> 'completed'") == Rows{});
    CHECK(stores.sql("select count(*) from (select run_id from weir.journal group by run_id having "
                     "count(*) <> 1) as twice") == Rows{"0"});
    CHECK(stores.sql("select weir.mood()") == Rows{"good"});
  }

  TEST_CASE("M1: a program never replaces what a newer one has made") {
    const TestDatabase database;
    must(postgres::migrate(database.url(), next_schema()));
    const Rows code = code_of(database.url());
    const auto refused = postgres::migrate(database.url());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == "database_newer");
    CHECK(code_of(database.url()) == code);
    const SchemaState state = must(postgres::schema_state(database.url()));
    CHECK_FALSE(state.lack.has_value());
    CHECK(state.remark ==
          fmt::format(
              "database \"{}\" has schema {} of a newer Weir, this program has {}: it works, "
              "without what is new",
              name_of(database.url()), program_schema().number() + 1, program_schema().number()));
  }

  TEST_CASE("M2: a program that is too old for the schema is told what it lacks") {
    const TestDatabase database;
    Schema next = next_schema();
    next.oldest_program = next.number();
    must(postgres::migrate(database.url(), next));
    const auto lack = must(postgres::schema_state(database.url())).lack;
    REQUIRE(lack.has_value());
    CHECK(lack->kind == "database_newer");
    CHECK(lack->message == fmt::format("the schema of database \"{}\" has number {}, this program "
                                       "has {}, and the schema needs programs with {} or later",
                                       name_of(database.url()), next.number(),
                                       program_schema().number(), next.number()));
    CHECK(lack->hint == "a newer Weir has migrated it: use that one or a later one");
  }

  TEST_CASE("M2: a new program works with the schema of the version before and says so") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    Schema next = next_schema();
    const SchemaState state = must(postgres::schema_state(database.url(), next));
    CHECK_FALSE(state.lack.has_value());
    CHECK_FALSE(state.current());
    CHECK(state.remark ==
          fmt::format("database \"{}\" has schema {} of an older Weir, this program has {}: it "
                      "works, and \"weir migrate\" brings what is new",
                      name_of(database.url()), program_schema().number(), next.number()));
    next.oldest_database = next.number();
    const auto lack = must(postgres::schema_state(database.url(), next)).lack;
    REQUIRE(lack.has_value());
    CHECK(lack->kind == "schema_older");
    CHECK(lack->message ==
          fmt::format("the schema of database \"{}\" has number {}, this program needs {} or later",
                      name_of(database.url()), program_schema().number(), next.number()));
    CHECK(lack->hint == "run: weir migrate");
  }

  TEST_CASE("M1: of programs of two versions that migrate at once the newer one prevails") {
    const TestDatabase database, only_new;
    const Schema next = next_schema();
    std::vector<Result<MigrationReport>> reports(8);
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < reports.size(); ++i)
        threads.emplace_back([&, i] {
          reports[i] = postgres::migrate(database.url(), i % 2 == 0 ? next : program_schema());
        });
    }
    for (std::size_t i = 0; i < reports.size(); ++i) {
      if (i % 2 == 0)
        CHECK(must(reports[i]).after == next.number());
      else if (!reports[i])
        CHECK(reports[i].error().kind == "database_newer");
    }
    must(postgres::migrate(only_new.url(), next));
    CHECK(code_of(database.url()) == code_of(only_new.url()));
    CHECK(must(postgres::schema_state(database.url(), next)).current());
  }

  TEST_CASE("what other functions of the same number a database has is said and replaced") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    Schema other = program_schema();
    other.functions.front().text += "-- as a build between two releases has it\n";
    const SchemaState state = must(postgres::schema_state(database.url(), other));
    CHECK_FALSE(state.lack.has_value());
    CHECK(
        state.remark.ends_with("with other functions than this program's: \"weir migrate\" "
                               "replaces them"));
    const MigrationReport report = must(postgres::migrate(database.url(), other));
    CHECK(report.applied.empty());
    CHECK(report.replaces_code);
    CHECK(must(postgres::schema_state(database.url(), other)).current());
  }

  TEST_CASE("M1: nobody waits for long behind a migration that a table is not free for") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    const Rows code = code_of(database.url());
    AdminSession holder(database.url()), admin(database.url());
    holder.run("set application_name = 'holder'");
    holder.run("begin");
    holder.run("select count(*) from weir.run");
    const std::string pid = holder.run("select pg_backend_pid()").at(0);
    std::optional<Result<MigrationReport>> migrated;
    {
      const std::jthread migrates(
          [&] { migrated = postgres::migrate(database.url(), next_schema()); });
      REQUIRE(eventually([&] {
        return admin.run(
                   "select 1 from pg_locks where relation = 'weir.run'::regclass and not "
                   "granted") == Rows{"1"};
      }));
      CHECK(postgres::schema_state(database.url()).has_value());  // while that waits
    }
    REQUIRE_FALSE(migrated->has_value());
    const Error& error = migrated->error();
    CHECK(error.kind == "locked");
    INFO(error.message);
    CHECK(error.message.starts_with("process " + pid + " of the server (user "));
    CHECK(error.message.contains(
        "application \"holder\", idle in transaction, its transaction is open for "));
    CHECK(error.hint.contains("select pg_terminate_backend(" + pid + ")"));
    CHECK(code_of(database.url()) == code);
    holder.run("rollback");
    must(postgres::migrate(database.url(), next_schema()));
  }

  TEST_CASE("M1: a program that may not even look at the schema says who has locked it") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    AdminSession holder(database.url());
    holder.run("begin");
    holder.run("lock table weir.schema_code");
    const auto state = postgres::schema_state(database.url());
    REQUIRE_FALSE(state.has_value());
    CHECK(state.error().kind == "locked");
    CHECK(state.error().message.contains(holder.run("select pg_backend_pid()").at(0)));
  }
}
