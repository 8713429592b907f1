// Who changes the schema of a database, and what the others say.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "integration/cli/shop.hpp"
#include "support/admin_session.hpp"

using weir::testing::AdminSession;
using weir::testing::eventually;
using weir::testing::migrated;
using weir::testing::Ran;
using weir::testing::run_program;
using weir::testing::Running;
using weir::testing::Shop;
using weir::testing::TestDatabase;
using weir::testing::text;
using Rows = std::vector<std::string>;

namespace {

const std::string no_run = "0198c0de-0000-7000-8000-000000000000";

const std::string order = R"({"order_id": 1, "amount": 1, "ledger": "x"})";

/// Commands that show something.
const std::vector<Rows> reads = {
    {"runs", "list"},
    {"runs", "show", no_run},
    {"runs", "watch", no_run},
    {"flows", "list"},
    {"flows", "show", "process_order"},
    {"flows", "versions", "process_order"},
    {"workers", "list"},
    {"schedules", "list"},
    {"plugins", "list"},
    {"plugins", "replay", no_run, "--with", "plugins/process_order.so"},
    {"migrate", "--check"},
    {"migrate", "--print"},
    {"doctor"}};

/// Commands that change runs, flows or schedules.
const std::vector<Rows> requests = {{"start", "process_order", "--input", order},
                                    {"runs", "cancel", no_run},
                                    {"runs", "retry", no_run},
                                    {"runs", "signal", no_run, "approved"},
                                    {"flows", "pause", "process_order"},
                                    {"flows", "resume", "process_order"},
                                    {"flows", "adopt", "process_order", "--from", "1"},
                                    {"schedules", "add", "a", "process_order", "@daily"},
                                    {"schedules", "pause", "a"},
                                    {"schedules", "remove", "a"},
                                    {"prune", "--older-than", "1d"},
                                    {"serve"}};

/// A user without rights of his own, of the roles in `memberships`; his URL is that of the database.
class User {
 public:
  User(const TestDatabase& database, const std::string& memberships)
      : name_(fmt::format("weir_test_user_{}_{}", getpid(), ++count)), admin_(database.url()) {
    admin_.run("create role " + name_);
    if (!memberships.empty()) admin_.run(fmt::format("grant {} to {}", memberships, name_));
    url_ = database.url() + (database.url().contains('?') ? "&" : "?") + "options=-c%20role%3D" +
           name_;
  }
  User(const User&) = delete;
  User& operator=(const User&) = delete;
  ~User() { admin_.run("drop role " + name_); }

  const std::string& name() const { return name_; }
  const std::string& url() const { return url_; }

 private:
  static inline int count = 0;
  std::string name_, url_;
  AdminSession admin_;
};

/// All that the database holds of schemas, tables, functions and views, as one text.
std::string contents(const TestDatabase& database) {
  return AdminSession(database.url())
      .run(
          "select md5(string_agg(d, ',' order by d)) from ("
          " select oid::text || nspname from pg_namespace where nspname !~ '^pg_'"
          " union all select oid::text || xmin::text || relname from pg_class where oid > 16384"
          "  and relnamespace = coalesce(to_regnamespace('weir'), 0)"
          " union all select oid::text || xmin::text || proname from pg_proc"
          "  where pronamespace = coalesce(to_regnamespace('weir'), 0)) as x(d)")
      .at(0);
}

std::string command_line(const Rows& words) { return fmt::format("{}", fmt::join(words, " ")); }

/// The last line of a command's errors, without "weir: error: ".
std::string said(const Ran& ran) {
  const std::size_t at = ran.err.rfind("weir: error: ");
  return at == std::string::npos ? ran.err : ran.err.substr(at + 13);
}

std::string name_of(const TestDatabase& database) {
  return AdminSession(database.url()).run("select current_database()").at(0);
}

}  // namespace

TEST_SUITE_BEGIN("cli: who migrates");

TEST_CASE("migrate makes the schema once and then has nothing to do") {
  const TestDatabase database;
  const Shop shop("database: \"" + database.url() + "\"\n");
  const Ran first = shop.run({"migrate"});
  CHECK(first.code == 0);
  CHECK(first.out.starts_with("applied 0001_runs\napplied "));
  CHECK(first.out.contains("\nreplaced functions, views and rights\n"));
  const Ran second = shop.run({"migrate"});
  CHECK(second.code == 0);
  CHECK(second.out.ends_with(", nothing to do\n"));
  CHECK(std::count(second.out.begin(), second.out.end(), '\n') == 1);
  CHECK(shop.run({"migrate", "--json"})
            .out.ends_with("\"migrations\":[],\"replaces_code\":false,\"done\":true}\n"));
}

TEST_CASE(
    "M1: no command but migrate changes a database without schema, and each says what to do") {
  const TestDatabase database;
  const Shop shop("database: \"" + database.url() + "\"\n");
  const std::string before = contents(database);
  const std::string missing =
      fmt::format("database \"{}\" has no schema weir (run: weir migrate)\n", name_of(database));
  for (const auto* commands : {&reads, &requests})
    for (const Rows& words : *commands) {
      CAPTURE(command_line(words));
      const Ran ran = shop.run(words);
      CHECK(contents(database) == before);
      if (words[0] == "doctor")
        CHECK(ran.out.contains("\nwrong    " + missing));
      else if (words[0] != "migrate" && words != Rows{"flows", "list"} &&
               words != Rows{"flows", "show", "process_order"} && words != Rows{"plugins", "list"})
        CHECK(said(ran) == missing);
    }
}

TEST_CASE("M1: serve migrates the database that flows.yaml lets it migrate and no other") {
  const TestDatabase database, other;
  const Shop shop("database: {url: \"" + database.url() + "\", migrate: true}\n");
  CHECK(said(shop.run({"serve", "--database", other.url()})).contains("has no schema weir"));
  CHECK(said(shop.run({"start", "process_order"})).contains("has no schema weir"));
  Running serve = shop.begin({"serve"}, "serve.log");
  REQUIRE(eventually([&] { return text(shop.path() / "serve.log").contains(" serves "); }));
  CHECK(shop.run({"migrate", "--check"}).code == 0);
  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
}

TEST_CASE("migrate --check says what is to be done and --print prints what psql does") {
  const TestDatabase database, beside{migrated()};
  const Shop shop("database: \"" + database.url() + "\"\n");
  const std::string before = contents(database);
  const Ran todo = shop.run({"migrate", "--check"});
  CHECK(todo.code == 1);
  CHECK(todo.err.empty());
  CHECK(todo.out.contains(": schema 0 of "));
  CHECK(todo.out.contains("; \"weir migrate\" would apply 0001_runs, 0002_plugins, "));
  CHECK(todo.out.ends_with(" and replace functions, views and rights\n"));
  const Ran json = shop.run({"migrate", "--check", "--json"});
  CHECK(json.code == 1);
  CHECK(json.out.contains("\"before\":0,\"after\":"));
  CHECK(json.out.ends_with("\"replaces_code\":true,\"done\":false}\n"));
  const Ran printed = shop.run({"migrate", "--print"});
  CHECK(printed.code == 0);
  CHECK(contents(database) == before);

  const Ran psql =
      run_program("/usr/bin/env", {"psql", "-X", "-q", database.url()},
                  {.input = printed.out, .environment = {{"PGCLIENTENCODING", "LATIN1"}}});
  CHECK(psql.code == 0);
  CHECK(psql.err == "");
  CHECK(shop.run({"migrate", "--check"}).code == 0);
  CHECK(shop.run({"migrate", "--check"}).out.ends_with(", nothing to do\n"));
  CHECK(shop.run({"migrate", "--print"}).out.ends_with(", nothing to do\n"));
  const char* const functions =
      "select md5(string_agg(pg_get_functiondef(oid) || proacl::text, ',' order by proname, "
      "oid::regprocedure::text)) from pg_proc where pronamespace = 'weir'::regnamespace";
  CHECK(AdminSession(database.url()).run(functions) == AdminSession(beside.url()).run(functions));

  const Ran again =
      run_program("/usr/bin/env", {"psql", "-X", "-q", database.url()}, {.input = printed.out});
  CHECK(again.code == 3);
  CHECK(again.err.contains("the schema is no longer the one that this script was made for"));
}

TEST_CASE("M1: a reader reads by every command and changes nothing by any") {
  const TestDatabase database{migrated()};
  const User reader(database, "weir_reader");
  const Shop shop("database: \"" + reader.url() + "\"\n");
  AdminSession(database.url()).run("create schema weir_test_of_others");
  const Shop owner("database: \"" + database.url() + "\"\n");
  CHECK(owner.run({"schedules", "add", "a", "process_order", "@daily"}).code == 0);
  const Ran started = owner.run({"start", "process_order", "--input", order});
  REQUIRE_MESSAGE(started.code == 0, started.err);
  const std::string before = contents(database);
  for (Rows words : reads) {
    for (std::string& word : words)
      if (word == no_run) word = started.out.substr(0, 36);
    if (words[1 % words.size()] == "watch") continue;  // it ends with the run
    CAPTURE(command_line(words));
    const Ran ran = shop.run(words);
    CHECK_MESSAGE(ran.code == 0, ran.out, ran.err);
  }
  for (const Rows& words : requests) {
    if (words == Rows{"serve"}) continue;  // it waits until somebody grants it the right
    CAPTURE(command_line(words));
    const Ran ran = shop.run(words);
    CHECK(ran.code != 0);
    CHECK(ran.err.contains("permission denied"));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  }
  CHECK(contents(database) == before);
}

TEST_CASE(
    "M2: a reader is told that the schema is too old and reads a newer one that bears with it") {
  const TestDatabase database{migrated()};
  const User reader(database, "weir_reader");
  const Shop shop("database: \"" + reader.url() + "\"\n");
  AdminSession admin(database.url());
  const int number = std::stoi(admin.run("select max(number) from weir.migration").at(0));
  admin.run(
      fmt::format("update weir.migration set number = {} where number = {}", number + 1, number));
  CHECK(shop.run({"runs", "list"}).err == "weir: note: no such runs\n");
  CHECK(shop.run({"doctor"})
            .out.contains(fmt::format(
                "\nwarning  schema: database \"{}\" has schema {} of a newer Weir, this program "
                "has {}: it works, without what is new\n",
                name_of(database), number + 1, number)));
  admin.run(fmt::format("update weir.schema_code set oldest_program = {}", number + 1));
  CHECK(said(shop.run({"runs", "list"}))
            .ends_with(fmt::format(" has number {0}, this program has {1}, and the schema needs "
                                   "programs with {0} or later (a newer Weir has migrated it: use "
                                   "that one or a later one)\n",
                                   number + 1, number)));
  admin.run(fmt::format("delete from weir.migration where number > {}", number - 1));
  const std::string too_old = fmt::format(
      "the schema of database \"{}\" has number {}, this program needs {} or later (run: weir "
      "migrate)\n",
      name_of(database), number - 1, number);
  for (const Rows& words : reads) {
    CAPTURE(command_line(words));
    const Ran ran = shop.run(words);
    if (words[0] == "doctor")
      CHECK(ran.out.contains("\nwrong    " + too_old));
    else if (words == Rows{"plugins", "list"} || ran.err.starts_with("weir: error: "))
      CHECK(ran.err.ends_with(too_old));
    else
      CHECK((words[0] == "flows" || words[0] == "migrate"));
  }
}

TEST_CASE("M1: a client starts and controls runs without any right to create") {
  const TestDatabase database{migrated()};
  const User client(database, "weir_client");
  const Shop owner("database: \"" + database.url() + "\"\n");
  CHECK(owner.run({"start", "process_order", "--input", order}).code == 0);
  const Shop shop("database: \"" + client.url() + "\"\n");
  const std::string before = contents(database);
  const Ran started = shop.run({"start", "process_order", "--input", order});
  REQUIRE_MESSAGE(started.code == 0, started.err);
  const std::string id = started.out.substr(0, 36);
  for (const Rows& words :
       {Rows{"runs", "list"}, Rows{"runs", "cancel", id}, Rows{"runs", "retry", id},
        Rows{"flows", "pause", "process_order"}, Rows{"flows", "resume", "process_order"},
        Rows{"schedules", "add", "a", "process_order", "@daily"}, Rows{"schedules", "remove", "a"},
        Rows{"doctor"}}) {
    CAPTURE(command_line(words));
    const Ran ran = shop.run(words);
    CHECK_MESSAGE(ran.code == 0, ran.err);
  }
  CHECK(contents(database) == before);
}

TEST_CASE("M1: whoever may not read the schema is told who can help") {
  const TestDatabase database{migrated()};
  const User nobody(database, "");
  const Shop shop("database: \"" + nobody.url() + "\"\n");
  for (const Rows& words : {Rows{"runs", "list"}, Rows{"start", "x"}, Rows{"serve"},
                            Rows{"migrate"}, Rows{"migrate", "--check"}}) {
    CAPTURE(command_line(words));
    CHECK(said(shop.run(words)) ==
          fmt::format("the user \"{0}\" may not use schema weir of database \"{1}\" (its owner "
                      "runs: grant weir_reader, or weir_client, or weir_worker, to \"{0}\")\n",
                      nobody.name(), name_of(database)));
  }
}

TEST_CASE("M1: a schema weir of somebody else is left alone") {
  const TestDatabase database;
  AdminSession admin(database.url());
  admin.run("create schema weir");
  admin.run("create table weir.plugin (mine integer)");
  const Shop shop("database: \"" + database.url() + "\"\n");
  const std::string before = contents(database);
  CHECK(said(shop.run({"runs", "list"})).contains("has no schema weir"));
  CHECK(said(shop.run({"migrate"})).starts_with("relation \"plugin\" already exists"));
  CHECK(contents(database) == before);
}

TEST_CASE("a database that is not UTF8 is refused by migrate and serve and named by doctor") {
  const TestDatabase database;
  AdminSession admin(database.url());
  const std::string name = fmt::format("weir_test_latin1_{}", getpid());
  admin.run(
      fmt::format("create database {} template template0 encoding 'LATIN1' locale 'C'", name));
  std::string url = database.url();
  url.replace(url.find(name_of(database)), name_of(database).size(), name);
  const Shop shop("database: {url: \"" + url + "\", migrate: true}\n");
  const std::string refusal = fmt::format(
      "database \"{}\" has the encoding LATIN1, and Weir needs UTF8 (use another one: createdb "
      "--encoding UTF8 --template template0 NAME)\n",
      name);
  for (const Rows& words : {Rows{"migrate"}, Rows{"migrate", "--check"}, Rows{"migrate", "--print"},
                            Rows{"serve"}, Rows{"runs", "list"}}) {
    CAPTURE(command_line(words));
    const Ran ran = shop.run(words);
    CHECK(ran.code == 3);
    CHECK(ran.out.empty());
    CHECK(said(ran) == refusal);
  }
  CHECK(shop.run({"doctor"}).out.contains("\nwrong    " + refusal));
  CHECK(AdminSession(url).run("select nspname from pg_namespace where nspname = 'weir'").empty());
  admin.run("drop database " + name);
}

TEST_SUITE_END();
