#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/catalogue.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/log.hpp"
#include "cli/stop_signals.hpp"
#include "plugin/loader.hpp"
#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "worker/worker.hpp"

namespace weir::cli {
namespace {

WorkerOptions worker_options(const Config& config) {
  WorkerOptions options{.slots = config.worker.slots,
                        .lease = config.worker.lease,
                        .drain_timeout = config.worker.drain_timeout,
                        .overrides = {}};
  for (const auto& [slug, flow] : config.flows)
    options.overrides.emplace(slug.string(), flow.options);
  return options;
}

// Loads every plugin into the registry; tells what was refused.
void load_plugins(const PluginLoader& loader, const Config& config, FlowRegistry& registry,
                  spdlog::logger& log) {
  std::vector<std::filesystem::path> folders;
  for (const PluginFolder& folder : config.plugins.folders) folders.push_back(folder.path);
  const LoadReport report = loader.load_folders(folders, registry);
  std::vector<std::string> slugs;
  for (const LoadedPlugin& plugin : report.loaded)
    for (const Slug& slug : plugin.flows) {
      slugs.push_back(slug.string());
      log.info("flow {} from {}", slug.view(), plugin.file.path);
    }
  for (const PluginError& refused : report.refused) log.warn("{}", to_string(refused));
  for (const auto& [slug, flow] : config.flows)
    if (std::ranges::find(slugs, slug.string()) == slugs.end())
      log.warn("{}: no flow \"{}\" in the plugin folders", config.source->name(), slug.view());
}

}  // namespace

ExitCode run(const Serve&, const Globals& globals, Console& console) {
  const sigset_t blocked = block_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our log that goes away must not end the work
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  if (const Faults faults = folder_faults(*config); !faults.empty()) return console.fail(faults);
  const auto log = make_log(config->log, console.err());

  auto stage = StageDirectory::open();
  if (!stage) return console.fail(to_error(stage.error()));
  const PluginLoader loader(*std::move(stage), {.sha256_allow = config->plugins.sha256_allow});
  FlowRegistry registry;
  load_plugins(loader, *config, registry, *log);
  if (registry.list().empty())
    return console.fail(
        Error{.code = ErrorCode::not_found,
              .kind = "no_flows",
              .message = "there is no flow to serve",
              .hint = "put a plugin into the plugin folder; \"weir init\" writes a first one"});

  auto database = Database::open(*config, globals, Database::IfMissing::make);
  if (!database) return console.fail(database.error());
  if (const auto migrated = postgres::migrate(database->url()); !migrated)
    return console.fail(migrated.error());
  const auto store = postgres::open_worker_store(database->url());
  if (!store) return console.fail(store.error());
  log->info("database: {}", database->shown());

  Worker worker(worker_options(*config), registry, **store, log);
  const StopSignals signals(blocked, [&](int count) {
    log->info(count == 1 ? "draining: running steps may finish"
                         : "stopping: what runs is given back");
    count == 1 ? worker.drain() : worker.stop_now();
  });
  const auto ended = worker.run();
  if (!ended) return console.fail(ended.error());
  log->info("stopped");
  if (ended->handlers_left >
      0) {  // their threads run plugin code: nothing may be torn down under them
    {
      const Database given_back = *std::move(database);
    }
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(ExitCode::ok));
  }
  return ExitCode::ok;
}

}  // namespace weir::cli
