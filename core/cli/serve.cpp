#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
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
#include "supervisor/serve_tree.hpp"
#include "worker/step_resources.hpp"

namespace weir::cli {
namespace {

ServeOptions serve_options(const Config& config) {
  ServeOptions options{.workers = config.worker.count,
                       .worker = {.slots = config.worker.slots,
                                  .lease = config.worker.lease,
                                  .drain_timeout = config.worker.drain_timeout},
                       .limit = {.max_restarts = config.supervisor.max_restarts,
                                 .max_seconds = config.supervisor.max_seconds}};
  for (const auto& [slug, flow] : config.flows)
    options.worker.overrides.emplace(slug.string(), flow.options);
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
  log->info("database: {}", database->shown());

  const StoreOpener open_store = [url = database->url()](StoreUse use) {
    return postgres::open_worker_store(url,
                                       {.connects_now = use.connects_now, .listens = use.listens});
  };
  ServeOptions options = serve_options(*config);
  const auto resources = std::make_shared<StepResources>();  // outlive a worker that is restarted
  options.worker.resources = resources;
  const auto tree = ServeTree::start(std::move(options), registry, open_store, log);
  if (!tree) return console.fail(tree.error());
  const StopSignals signals(blocked, [&](int count) {
    log->info(count == 1 ? "draining: running steps may finish"
                         : "stopping: what runs is given back");
    count == 1 ? (*tree)->drain() : (*tree)->stop_now();
  });
  const auto ended = (*tree)->wait();
  resources->end(*log);
  ExitCode code = ended ? ExitCode::ok : console.fail(ended.error());
  if (ended && (*tree)->wedged() > 0) code = ExitCode::failed;  // the log names them
  if (ended) log->info("stopped");
  if ((*tree)->left_behind() > 0) {  // nothing may be torn down under threads that still run
    {
      const Database given_back = *std::move(database);
    }
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(code));
  }
  return code;
}

}  // namespace weir::cli
