#include "cli/database.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_maintenance_store.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/schema_state.hpp"
#include "store/postgres/sql_error.hpp"

namespace weir::cli {

Result<Database> Database::open(const Config& config, const Globals& globals, IfMissing if_missing,
                                const LocalPostgres::Options& options) {
  if (auto url = globals.database ? globals.database : config.database.url)
    return Database(nullptr, *std::move(url));
  const std::filesystem::path folder = config.folder / ".weir";
  std::error_code ec;
  if (if_missing == IfMissing::fail && !std::filesystem::exists(folder, ec))
    return std::unexpected(Error{
        .code = ErrorCode::not_found,
        .kind = "no_database",
        .message = fmt::format("there is no private database in {} yet", config.folder.string()),
        .hint =
            "\"weir start\" and \"weir serve\" make it; or name one with --config or --database"});
  auto local = LocalPostgres::open(folder, options);
  if (!local) return std::unexpected(std::move(local.error()));
  std::string url = local->url();
  return Database(std::make_shared<LocalPostgres>(*std::move(local)), std::move(url));
}

std::string Database::shown() const {
  return local_ ? fmt::format("private PostgreSQL in {}", local_->cluster().string())
                : postgres::without_password(url_);
}

Result<SchemaState> checked_schema(const std::string& url, Migrates migrates) {
  auto state = postgres::schema_state(url);
  if (state && migrates == Migrates::older && state->database <= state->program &&
      !state->current()) {
    const auto migrated = postgres::migrate(url);
    // A newer program may have done it meanwhile: perhaps this one works with that.
    if (!migrated && migrated.error().kind != "database_newer")
      return std::unexpected(migrated.error());
    state = postgres::schema_state(url);
  }
  if (state && state->lack) return std::unexpected(*std::move(state->lack));
  return state;
}

namespace {

// The configuration and its database, whose schema this program can work with.
std::expected<std::pair<Config, Database>, ExitCode> open_database(const Globals& globals,
                                                                   Console& console,
                                                                   Database::IfMissing if_missing) {
  auto config = load_config(globals.config);
  if (!config) return std::unexpected(console.fail(config.error()));
  auto database = Database::open(*config, globals, if_missing);
  if (!database) return std::unexpected(console.fail(database.error()));
  const bool may_make = database->local() && if_missing == Database::IfMissing::make;
  if (const auto schema =
          checked_schema(database->url(), may_make ? Migrates::older : Migrates::never);
      !schema)
    return std::unexpected(console.fail(schema.error()));
  return std::pair(*std::move(config), *std::move(database));
}

}  // namespace

std::expected<Opened, ExitCode> open_store(const Globals& globals, Console& console,
                                           Database::IfMissing if_missing) {
  auto opened = open_database(globals, console, if_missing);
  if (!opened) return std::unexpected(opened.error());
  auto store = postgres::open_run_store(opened->second.url());
  if (!store) return std::unexpected(console.fail(store.error()));
  return Opened{std::move(opened->first), std::move(opened->second), *std::move(store)};
}

std::expected<OpenedMaintenance, ExitCode> open_maintenance(const Globals& globals,
                                                            Console& console,
                                                            Database::IfMissing if_missing) {
  auto opened = open_database(globals, console, if_missing);
  if (!opened) return std::unexpected(opened.error());
  auto store = postgres::open_maintenance_store(opened->second.url(), false);
  if (!store) return std::unexpected(console.fail(store.error()));
  return OpenedMaintenance{std::move(opened->first), std::move(opened->second), *std::move(store)};
}

}  // namespace weir::cli
