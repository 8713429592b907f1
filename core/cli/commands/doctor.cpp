#include "cli/commands/doctor.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/printable.hpp"
#include "cli/catalogue.hpp"
#include "cli/command_line/grammar.hpp"
#include "cli/database.hpp"
#include "cli/views/flow_view.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/schema_state.hpp"

namespace weir::cli {
namespace {

/// Prints findings, one per line, and keeps the worst exit code.
class Examination {
 public:
  explicit Examination(Console& console) : console_(console) {}

  void good(std::string_view what) { line(Tone::good, "ok", what); }
  void warning(std::string_view what) { line(Tone::busy, "warning", what); }
  void bad(const Error& error) {
    line(Tone::bad, "wrong", to_string(error));
    worst_ = std::max(worst_, exit_code(error.code));
  }
  ExitCode worst() const noexcept { return worst_; }

 private:
  void line(Tone tone, std::string_view verdict, std::string_view what) {
    console_.print(fmt::format("{}  {}\n",
                               painted(console_.out(), tone, fmt::format("{:<7}", verdict)),
                               printable(what, Newlines::indented)));
  }

  Console& console_;
  ExitCode worst_ = ExitCode::ok;
};

void examine_plugins(const Config& config, Examination& found) {
  const auto catalogue = read_catalogue(config);
  if (!catalogue) {
    for (const Error& fault : catalogue.error()) found.bad(fault);
    return;
  }
  if (catalogue->flows.empty())
    found.warning("plugins: no flow in the plugin folders (\"weir init\" writes a first one)");
  else
    found.good(fmt::format("plugins: {} with {} flow{}", catalogue->plugins,
                           catalogue->flows.size(), catalogue->flows.size() == 1 ? "" : "s"));
  for (const PluginError& refused : catalogue->refused) found.bad(to_error(refused));
  for (const std::string& warning : idle_overrides(config, *catalogue)) found.warning(warning);
}

void examine_store(const std::string& url, Examination& found) {
  const auto schema = postgres::schema_state(url);
  if (!schema) return found.bad(schema.error());
  if (schema->lack) return found.bad(*schema->lack);
  if (schema->remark.empty())
    found.good(fmt::format("schema: {}, up to date", schema->database));
  else
    found.warning("schema: " + schema->remark);

  const auto store = postgres::open_run_store(url);
  if (!store) return found.bad(store.error());
  if (const auto version = (*store)->server_version())
    found.good(fmt::format("server: PostgreSQL {}", *version));
  else
    found.bad(version.error());
  const auto workers = (*store)->workers_alive();
  if (!workers)
    found.bad(workers.error());
  else if (*workers == 0)
    found.warning("workers: none is alive; runs wait until \"weir serve\" is started");
  else
    found.good(fmt::format("workers: {} alive", *workers));
  if (!workers || *workers == 0) return;
  const auto versions = (*store)->all_versions();
  if (!versions) return found.bad(versions.error());
  for (const WaitingVersion& each : waiting_versions(*versions)) found.warning(each.text);
}

void examine_database(const Config& config, const Globals& globals, Examination& found) {
  const auto database = Database::open(config, globals, Database::IfMissing::fail);
  if (!database && database.error().kind == "no_database")
    return found.good("database: none named; the first start makes a private one in .weir/");
  if (!database) return found.bad(database.error());
  found.good(fmt::format("database: {}", database->shown()));
  if (database->local()) found.good(fmt::format("its URL: {}", database->url()));
  examine_store(database->url(), found);
}

constexpr std::string_view doctor_footer =
    R"(Checks the configuration, every plugin and the database, and reports what is
right, what is wrong, and how to fix it. Exits 0 when nothing is wrong.

Example:
  weir doctor)";

ExitCode run(const Doctor&, const Globals& globals, Console& console) {
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  Examination found(console);
  found.good(config->source ? fmt::format("configuration: {}", config->source->name())
                            : "configuration: no flows.yaml here, the defaults apply");
  examine_plugins(*config, found);
  examine_database(*config, globals, found);
  return found.worst();
}

}  // namespace

void declare_doctor(Grammar& grammar) {
  grammar.command<Doctor>(grammar.root(), "doctor",
                          "Check the setup, and say how to fix what is wrong", doctor_footer, run);
}

}  // namespace weir::cli
