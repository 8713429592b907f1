#include "cli/commands/migrate.hpp"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/command_line/grammar.hpp"
#include "cli/database.hpp"
#include "store/postgres/migrate.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view migrate_footer =
    R"(Makes or updates what Weir has in the database: the schema weir with its tables,
functions and views, and the roles weir_reader, weir_client and weir_worker. It
is safe while workers run. Only this command changes the schema of a database of
yours, and "weir serve" where flows.yaml has "migrate: true" beside its url. A
schema that a newer Weir made is refused and not changed.

--check changes nothing and exits 1 when there is something to do. --print
changes nothing and prints the SQL that would do it, one transaction, for
whoever may change the database to run with psql.

Examples:
  weir migrate --database postgresql://admin@db.example.org/weir
  weir migrate --check --json
  weir migrate --print > weir.sql && psql -f weir.sql weir)";

std::string report_json(const MigrationReport& report, const Database& database, bool done) {
  std::vector<Json> applied;
  for (const std::string& name : report.applied) applied.push_back(Json::string(name));
  return fmt::format("{}\n",
                     Json::object(std::vector<std::pair<std::string, Json>>{
                                      {"database", Json::string(database.shown())},
                                      {"before", Json::number(report.before)},
                                      {"after", Json::number(report.after)},
                                      {"migrations", Json::array(applied)},
                                      {"replaces_code", Json::boolean(report.replaces_code)},
                                      {"done", Json::boolean(done)}})
                         .text());
}

// "apply 0003_engine, 0004_edges and replace functions, views and rights"
std::string intention(const MigrationReport& report) {
  std::string text;
  if (!report.applied.empty()) text = fmt::format("apply {}", fmt::join(report.applied, ", "));
  if (report.replaces_code)
    text += fmt::format("{}replace functions, views and rights", text.empty() ? "" : " and ");
  return text;
}

ExitCode check(const Migrate& command, const Database& database, Console& console) {
  const auto plan = postgres::plan_migration(database.url());
  if (!plan) return console.fail(plan.error());
  const MigrationReport& report = plan->report;
  const std::string nothing =
      fmt::format("{}: schema {}, nothing to do\n", database.shown(), report.after);
  if (command.print) {
    console.print(report.nothing_to_do() ? "-- " + nothing : plan->script);
    return ExitCode::ok;
  }
  if (command.json)
    console.print(report_json(report, database, false));
  else
    console.print(report.nothing_to_do()
                      ? nothing
                      : fmt::format("{}: schema {} of {}; \"weir migrate\" would {}\n",
                                    database.shown(), report.before, report.after,
                                    intention(report)));
  return report.nothing_to_do() ? ExitCode::ok : ExitCode::failed;
}

ExitCode run(const Migrate& command, const Globals& globals, Console& console) {
  const bool reads = command.check || command.print;
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  const auto database = Database::open(
      *config, globals, reads ? Database::IfMissing::fail : Database::IfMissing::make);
  if (!database) return console.fail(database.error());
  if (reads) return check(command, *database, console);
  const auto report = postgres::migrate(database->url());
  if (!report) return console.fail(report.error());
  if (command.json) {
    console.print(report_json(*report, *database, true));
    return ExitCode::ok;
  }
  for (const std::string& name : report->applied) console.print(fmt::format("applied {}\n", name));
  if (report->replaces_code) console.print("replaced functions, views and rights\n");
  console.print(fmt::format("{}: schema {}{}\n", database->shown(), report->after,
                            report->nothing_to_do() ? ", nothing to do" : ""));
  return ExitCode::ok;
}

}  // namespace

void declare_migrate(Grammar& grammar) {
  auto [arguments, migrate] = grammar.command<Migrate>(
      grammar.root(), "migrate", "Make or update the database's schema", migrate_footer, run);
  arguments.flag("--check", migrate.check, "Say what would be done; exit 1 if anything")
      .flag("--print", migrate.print, "Print the SQL that would do it", "--check")
      .flag("--json", migrate.json, "Print JSON", "--print");
}

}  // namespace weir::cli
