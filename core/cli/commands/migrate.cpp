#include "cli/commands/migrate.hpp"

#include <fmt/format.h>

#include "cli/command_line/grammar.hpp"
#include "cli/database.hpp"
#include "store/postgres/migrate.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view migrate_footer =
    R"(Every command that needs the database migrates it first. This command does only
that, for example as another database user. It is safe while workers run. A
database newer than this program is refused and not changed.

Example:
  weir migrate --database postgresql://admin@db.example.org/weir)";

ExitCode run(const Migrate&, const Globals& globals, Console& console) {
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  const auto database = Database::open(*config, globals, Database::IfMissing::make);
  if (!database) return console.fail(database.error());
  const auto report = postgres::migrate(database->url());
  if (!report) return console.fail(report.error());
  for (const std::string& name : report->applied) console.print(fmt::format("applied {}\n", name));
  console.print(fmt::format("{}: schema {}{}\n", database->shown(), report->after,
                            report->applied.empty() ? ", nothing to do" : ""));
  return ExitCode::ok;
}

}  // namespace

void declare_migrate(Grammar& grammar) {
  grammar.command<Migrate>(grammar.root(), "migrate",
                           "Migrate the database's schema to this version", migrate_footer, run);
}

}  // namespace weir::cli
