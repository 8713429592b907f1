#pragma once
#include <expected>
#include <memory>
#include <string>

#include "cli/command_line/command.hpp"
#include "config/config.hpp"
#include "store/local/local_postgres.hpp"
#include "store/maintenance_store.hpp"
#include "store/migration.hpp"
#include "store/run_store.hpp"

namespace weir::cli {

/// The database that a command works with: the one that --database or flows.yaml names, or else the
/// private PostgreSQL, which is kept running while this object lives.
class Database {
 public:
  /// Whether a private PostgreSQL is made if there is none. Commands that only read must not make
  /// one.
  enum class IfMissing { make, fail };

  /// Finds the database; does not connect to one that is named, and looks at no schema. `options`
  /// are for a private one. Errors: unavailable; not_found, kind "no_database".
  static Result<Database> open(const Config& config, const Globals& globals, IfMissing if_missing,
                               const LocalPostgres::Options& options = {});

  const std::string& url() const noexcept { return url_; }

  /// The share in the private PostgreSQL; null for a database that is named.
  const std::shared_ptr<LocalPostgres>& local() const noexcept { return local_; }

  /// For people: the URL without its password, or the private cluster's folder.
  std::string shown() const;

 private:
  Database(std::shared_ptr<LocalPostgres> local, std::string url)
      : local_(std::move(local)), url_(std::move(url)) {}

  std::shared_ptr<LocalPostgres> local_;
  std::string url_;
};

/// Who may bring a schema up to date without being asked to: a command that may make the private
/// PostgreSQL, there; and `weir serve` where flows.yaml lets it.
enum class Migrates { never, older };

/// Checks that this program can work with the schema of the database, after a migration where that
/// is allowed and the schema is older or another one. Errors: those of SchemaState::lack and of
/// postgres::migrate().
Result<SchemaState> checked_schema(const std::string& url, Migrates migrates);

/// What a command needs to start and inspect runs.
struct Opened {
  Config config;
  Database database;  // before the store, which must be destroyed first
  std::unique_ptr<RunStore> store;
};

/// Reads the configuration, finds the database and checks its schema; migrates the one of a private
/// PostgreSQL that it may make, and no other. An error has been reported.
std::expected<Opened, ExitCode> open_store(const Globals& globals, Console& console,
                                           Database::IfMissing if_missing);

/// What a command needs for schedules and for pruning.
struct OpenedMaintenance {
  Config config;
  Database database;  // before the store, which must be destroyed first
  std::unique_ptr<MaintenanceStore> store;
};

/// As open_store().
std::expected<OpenedMaintenance, ExitCode> open_maintenance(const Globals& globals,
                                                            Console& console,
                                                            Database::IfMissing if_missing);

}  // namespace weir::cli
