#include "cli/database.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/sql_error.hpp"

namespace weir::cli {

Result<Database> Database::open(const Config& config, const Globals& globals,
                                IfMissing if_missing) {
  if (auto url = globals.database ? globals.database : config.database)
    return Database(std::nullopt, *std::move(url));
  const std::filesystem::path folder = config.folder / ".weir";
  std::error_code ec;
  if (if_missing == IfMissing::fail && !std::filesystem::exists(folder, ec))
    return std::unexpected(Error{
        .code = ErrorCode::not_found,
        .kind = "no_database",
        .message = fmt::format("there is no private database in {} yet", config.folder.string()),
        .hint =
            "\"weir start\" and \"weir serve\" make it; or name one with --config or --database"});
  auto local = LocalPostgres::open(folder);
  if (!local) return std::unexpected(std::move(local.error()));
  std::string url = local->url();
  return Database(*std::move(local), std::move(url));
}

std::string Database::shown() const {
  return local_ ? fmt::format("private PostgreSQL in {}", local_->cluster().string())
                : postgres::without_password(url_);
}

std::expected<Opened, ExitCode> open_store(const Globals& globals, Console& console,
                                           Database::IfMissing if_missing) {
  auto config = load_config(globals.config);
  if (!config) return std::unexpected(console.fail(config.error()));
  auto database = Database::open(*config, globals, if_missing);
  if (!database) return std::unexpected(console.fail(database.error()));
  if (const auto migrated = postgres::migrate(database->url()); !migrated)
    return std::unexpected(console.fail(migrated.error()));
  auto store = postgres::open_run_store(database->url());
  if (!store) return std::unexpected(console.fail(store.error()));
  return Opened{*std::move(config), *std::move(database), *std::move(store)};
}

}  // namespace weir::cli
