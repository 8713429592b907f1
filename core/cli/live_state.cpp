#include "cli/live_state.hpp"

#include <utility>

#include "cli/database.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/schema_state.hpp"

namespace weir::cli {
namespace {

template <class Rows>
Rows live(const Config& config, const Globals& globals, Console& console,
          Result<Rows> (RunStore::*rows)()) {
  const bool named = globals.database || config.database.url;
  if (!named && !LocalPostgres::is_running(config.folder / ".weir")) return {};
  const auto failed = [&](const Error& error) {
    console.note("cannot read what live processes report: " + to_string(error));
    return Rows();
  };
  const auto database = Database::open(config, globals, Database::IfMissing::fail);
  if (!database) return failed(database.error());
  const auto state = postgres::schema_state(database->url());
  if (!state) return failed(state.error());
  if (state->lack && state->lack->kind == "not_migrated") return {};  // nothing serves there
  if (state->lack) return failed(*state->lack);
  const auto store = postgres::open_run_store(database->url());
  if (!store) return failed(store.error());
  auto read = ((**store).*rows)();
  return read ? *std::move(read) : failed(read.error());
}

}  // namespace

std::vector<ReportedPlugin> live_plugins(const Config& config, const Globals& globals,
                                         Console& console) {
  return live(config, globals, console, &RunStore::plugins);
}

std::vector<VersionReport> live_versions(const Config& config, const Globals& globals,
                                         Console& console) {
  return live(config, globals, console, &RunStore::all_versions);
}

}  // namespace weir::cli
