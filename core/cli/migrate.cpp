#include "store/postgres/migrate.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"

namespace weir::cli {

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

}  // namespace weir::cli
