// The process of `weir serve` that runs plugins' code: registry, loader, workers.
#include "cli/serve_worker.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include "base/child_process.hpp"
#include "cli/commands.hpp"
#include "cli/control_socket.hpp"
#include "cli/log.hpp"
#include "cli/plugin_hosts.hpp"
#include "cli/retention.hpp"
#include "cli/serve_orders.hpp"
#include "cli/worker_process.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_board.hpp"
#include "plugin/plugin_watcher.hpp"
#include "plugin/quarantine.hpp"
#include "store/postgres/postgres_maintenance_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "supervisor/plugin_watch.hpp"
#include "supervisor/serve_tree.hpp"
#include "worker/fault_handler.hpp"
#include "worker/flight_recorder.hpp"
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
  for (const auto& [slug, flow] : config.flows) {
    options.worker.overrides.emplace(slug.string(), flow.overrides);
    if (flow.on_new_version == OnNewVersion::adopt) options.worker.adopting.insert(slug.string());
    options.worker.limits.emplace(slug.string(), flow.limits);
  }
  return options;
}

// What flows.yaml says of flows and steps that no plugin has, and a word when there is no flow yet.
void warn_of_flows(const Config& config, const FlowRegistry& registry, Log& log) {
  for (const auto& [slug, flow] : config.flows) {
    const auto warn_of_steps = [&](const FlowModule& module) {
      for (const auto& [step, options] : flow.overrides.steps)
        if (!module.definition.find(step))
          log.warn("{}: flow \"{}\" has no step \"{}\"", config.source->name(), slug.view(), step);
    };
    if (!registry.read(slug, warn_of_steps))
      log.warn("{}: no flow \"{}\" in the plugin folders", config.source->name(), slug.view());
  }
  if (registry.size() == 0)
    log.warn("there is no flow to serve yet: waiting for a plugin in the plugin folders");
}

// Hears what the parent wishes, while it lives.
class Wishes {
 public:
  Wishes(const FileDescriptor& control, ServeTree& tree, Log& log)
      : control_(control), thread_([&control, &tree, &log] {
          while (const auto words = control::receive(control)) {
            const bool stop = *words == control::stop;
            log.write(LogLevel::info, stop ? "stopping: what runs is given back"
                                           : "draining: running steps may finish");
            stop ? tree.stop_now() : tree.drain();
          }
        }) {}
  Wishes(const Wishes&) = delete;
  Wishes& operator=(const Wishes&) = delete;
  ~Wishes() {
    ::shutdown(control_.fd(), SHUT_RD);
    thread_.join();
  }

 private:
  const FileDescriptor& control_;
  std::thread thread_;
};

void say_farewell(const FileDescriptor& control, ExitCode code) {
  std::fflush(nullptr);
  control::send(control, fmt::format("{} {}", control::farewell, static_cast<int>(code)));
}

// In the user's cache: what is said there of a plugin holds wherever it lies. None without a home.
std::optional<std::filesystem::path> verdict_file() {
  const auto below = [](const char* variable, std::string_view rest) {
    const char* const folder = std::getenv(variable);
    return folder != nullptr && *folder == '/' ? std::optional(std::filesystem::path(folder) / rest)
                                               : std::nullopt;
  };
  if (auto file = below("XDG_CACHE_HOME", "weir/verdicts")) return file;
  return below("HOME", ".cache/weir/verdicts");
}

ExitCode work(const ServeOrders& orders, const FileDescriptor& control,
              std::shared_ptr<FlightRecorder> recorder, Console& console) {
  const Config& config = orders.config;
  const auto log = make_log(config.log, console.err());
  auto stage = StageDirectory::open(orders.stage);
  if (!stage) return console.fail(to_error(stage.error()));
  const auto quarantine = std::make_shared<Quarantine>(quarantine_limit(config));
  quarantine->restore(orders.quarantine);
  PluginHosts hosts(config, quarantine, log);  // outlives the modules in the registry
  Scanner scanner;
  std::optional<VerdictCache> verdicts;
  if (const auto file = verdict_file()) {
    verdicts.emplace(*file);
    if (orders.rescan) verdicts->forget();
  }
  LoaderParts parts{.scanner = &scanner, .verdicts = verdicts ? &*verdicts : nullptr};
  parts.host = [&](const Manifest& manifest) -> PluginHost& { return hosts.of(manifest); };
  const PluginLoader loader(*std::move(stage), {.sha256_allow = config.plugins.sha256_allow},
                            std::move(parts));
  FlowRegistry registry;
  const auto board = std::make_shared<PluginBoard>();
  std::vector<std::filesystem::path> folders;
  for (const PluginFolder& folder : config.plugins.folders) folders.push_back(folder.path);

  const StoreOpener open_store = [url = orders.database](StoreUse use) {
    return postgres::open_worker_store(url,
                                       {.connects_now = use.connects_now, .listens = use.listens});
  };
  ServeOptions options = serve_options(config);
  options.retention = retention_of(config);
  options.maintenance = [url = orders.database] {
    return postgres::open_maintenance_store(url, true);
  };
  const auto resources = std::make_shared<StepResources>();  // outlive a worker that is restarted
  options.worker.resources = resources;
  options.worker.recorder = std::move(recorder);
  options.worker.quarantine = quarantine;
  options.kept.board = board;
  options.plugins =
      std::make_shared<PluginWatcher>(std::move(folders), loader, registry, *board, plugin_log(log),
                                      PluginWatcher::Options{.rescan = config.plugins.rescan});
  const auto tree = ServeTree::start(std::move(options), registry, open_store, log);
  if (!tree) return console.fail(tree.error());
  if (verdicts && verdicts->problem()) log->warn("{}", verdicts->problem()->message);
  warn_of_flows(config, registry, *log);
  const auto ended = [&] {
    const Wishes wishes(control, **tree, *log);
    return (*tree)->wait();
  }();
  resources->end(*log);
  ExitCode code = ended ? ExitCode::ok : console.fail(ended.error());
  if (ended && (*tree)->wedged() > 0) code = ExitCode::failed;  // the log names them
  if (ended) log->info("stopped");
  if ((*tree)->left_behind() > 0) {  // nothing may be torn down under threads that still run
    say_farewell(control, code);
    std::_Exit(static_cast<int>(code));
  }
  return code;
}

// Ctrl-C in a terminal and systemd's stop reach every process of the service: what they ask for
// comes by way of the parent. Handlers, because programs that a step starts would inherit an
// ignored signal.
void leave_signals_to_parent() {
  struct sigaction nothing{};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &nothing, nullptr);
  ::sigaction(SIGINT, &nothing, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our log that goes away must not end the work
  std::signal(SIGTTOU, SIG_IGN);  // we are in the background of the terminal we log to
}

}  // namespace

int run_serve_worker(const std::vector<std::string>&) {
  leave_signals_to_parent();
  for (const int fd :
       {WorkerProcess::orders_fd, WorkerProcess::control_fd, WorkerProcess::recorder_fd})
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  const FileDescriptor memory(WorkerProcess::orders_fd);
  const FileDescriptor control(WorkerProcess::control_fd);
  FileDescriptor page(WorkerProcess::recorder_fd);
  Console console;
  ExitCode code = ExitCode::failed;
  try {
    const auto orders = read_orders(memory);
    if (orders) end_with_parent(orders->parent);
    auto recorder = FlightRecorder::open(std::move(page));
    if (!orders) {
      code = console.fail(orders.error());
    } else if (!recorder) {
      code = console.fail(recorder.error());
    } else {
      // Never taken down: the fault handler looks at it to the very end.
      static const auto& kept = *new auto(std::make_shared<FlightRecorder>(*std::move(recorder)));
      install_fault_handler(*kept, control.fd());
      code = work(*orders, control, kept, console);
    }
  } catch (const std::exception& unforeseen) {
    code = console.fail(Error{.code = ErrorCode::internal,
                              .kind = "exception",
                              .message = unforeseen.what(),
                              .hint = "this is a bug in weir: please report it"});
  }
  say_farewell(control, code);
  return static_cast<int>(code);
}

}  // namespace weir::cli
