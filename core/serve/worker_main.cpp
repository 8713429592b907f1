#include "serve/worker_main.hpp"

#include <chrono>
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
#include "config/idle_overrides.hpp"
#include "plugin/library.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_board.hpp"
#include "plugin/plugin_watcher.hpp"
#include "plugin/quarantine.hpp"
#include "serve/control_socket.hpp"
#include "serve/plugin_hosts.hpp"
#include "serve/plugin_watch.hpp"
#include "serve/retention.hpp"
#include "serve/serve_orders.hpp"
#include "serve/serve_tree.hpp"
#include "serve/unforeseen_error.hpp"
#include "serve/worker_process.hpp"
#include "step/fault_handler.hpp"
#include "step/flight_recorder.hpp"
#include "step/library_limit.hpp"
#include "step/step_resources.hpp"
#include "store/postgres/call_watch.hpp"
#include "store/postgres/notice_log.hpp"
#include "store/postgres/postgres_maintenance_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"

namespace weir {
namespace {

ServeOptions serve_options(const Config& config) {
  ServeOptions options{.workers = config.worker.count,
                       .worker = {.slots = config.worker.slots,
                                  .async_calls = config.worker.async_calls,
                                  .async_bytes = config.worker.async_bytes,
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

void warn_of_flows(const Config& config, const FlowRegistry& registry, Log& log) {
  const auto flows = registry.list();
  KnownFlows known;
  for (const FlowHandle& flow : flows) known.push_back(&flow->definition);
  for (const IdleOverride& idle : idle_overrides(config, known))
    log.warn("{}: {}", config.source->place(idle.where), idle.what);
  if (known.empty())
    log.warn("there is no flow to serve yet: waiting for a plugin in the plugin folders");
}

// Receives the parent's requests to drain and stop, and crashes that it tells of, while the object lives.
class ControlReader {
 public:
  ControlReader(const FileDescriptor& control, ServeTree& tree, Quarantine& quarantine, Log& log)
      : control_(control), thread_([&control, &tree, &quarantine, &log] {
          while (const auto message = control::receive(control)) {
            if (const auto sha256 = control::crashed_plugin(*message)) {
              quarantine.crashed(*sha256, std::chrono::steady_clock::now());
              continue;
            }
            const bool stop = *message == control::stop;
            log.write(LogLevel::info, stop ? "stopping: running steps are released"
                                           : "draining: running steps may finish");
            stop ? tree.stop_now() : tree.drain();
          }
        }) {}
  ControlReader(const ControlReader&) = delete;
  ControlReader& operator=(const ControlReader&) = delete;
  ~ControlReader() {
    ::shutdown(control_.fd(), SHUT_RD);
    thread_.join();
  }

 private:
  const FileDescriptor& control_;
  std::thread thread_;
};

void report_exit(const FileDescriptor& control, int status) {
  std::fflush(nullptr);
  control::send(control, fmt::format("{} {}", control::exited, status));
}

// What runs as a plugin is loaded or unloaded, on whichever thread, is recorded as calls are, and has a limit.
void record_libraries(FlightRecorder& recorder) {
  static LibraryLimit limit;
  Library::observe_code({.begins =
                             [&recorder](LibraryCode code, const std::filesystem::path& copy) {
                               static thread_local const FaultStack stack;
                               recorder.begin_library(code, copy.native());
                               limit.begin();
                             },
                         .ended =
                             [&recorder] {
                               limit.end();
                               recorder.end_library();
                             }});
}

// A file in the user's cache, because a verdict on a plugin does not depend on the plugin's folder.
// nullopt without a home folder.
std::optional<std::filesystem::path> verdict_file() {
  const auto below = [](const char* variable, std::string_view rest) {
    const char* const folder = std::getenv(variable);
    return folder != nullptr && *folder == '/' ? std::optional(std::filesystem::path(folder) / rest)
                                               : std::nullopt;
  };
  if (auto file = below("XDG_CACHE_HOME", "weir/verdicts")) return file;
  return below("HOME", ".cache/weir/verdicts");
}

int work(const ServeOrders& orders, const FileDescriptor& control,
         std::shared_ptr<FlightRecorder> recorder, const ProcessSetup& setup) {
  const Config& config = orders.config;
  const auto log = setup.make_log(config.log);
  postgres::log_notices(log);
  auto stage = StageDirectory::open(orders.stage);
  if (!stage) return setup.fail(to_error(stage.error()));
  const auto quarantine = std::make_shared<Quarantine>(quarantine_limit(config));
  quarantine->restore(orders.quarantine);
  const auto count_crash = [&](const std::string& sha256) {
    quarantine->crashed(sha256, std::chrono::steady_clock::now());
    control::send_crashed(control, sha256);  // so that it counts on in the next worker process
  };
  PluginHosts hosts(config, count_crash, log);  // outlives the modules in the registry
  Scanner scanner;
  std::optional<VerdictCache> verdicts;
  if (const auto file = verdict_file()) {
    verdicts.emplace(*file);
    if (orders.rescan) verdicts->forget();
  }
  LoaderParts parts{.scanner = &scanner,
                    .verdicts = verdicts ? &*verdicts : nullptr,
                    .quarantine = quarantine.get()};
  parts.host = [&](const Manifest& manifest) -> PluginHost& { return hosts.of(manifest); };
  const PluginLoader loader(*std::move(stage), {.sha256_allow = config.plugins.sha256_allow},
                            std::move(parts));
  FlowRegistry registry;
  const auto board = std::make_shared<PluginBoard>();
  std::vector<std::filesystem::path> folders;
  for (const PluginFolder& folder : config.plugins.folders) folders.push_back(folder.path);

  const auto limits = postgres::NetworkLimits::of_lease(config.worker.lease);
  const StoreOpener open_store = [url = orders.database, limits, log](StoreUse use) {
    return postgres::open_worker_store(
        url, {.connects_now = false, .listens = use.listens, .limits = limits, .log = log});
  };
  const postgres::CallWatch watch(config.worker.lease / 3, postgres::CallWatch::into(log));
  ServeOptions options = serve_options(config);
  options.retention = retention_of(config);
  if (orders.trial) {
    options.worker.slots *= options.workers;  // so that no suspect waits for another
    options.workers = 1;
    options.worker.trial = {.of = orders.trial->of,
                            .suspects = orders.trial->suspects,
                            .on_end = [&control] { control::send(control, control::tried); }};
  } else {
    options.maintenance = [url = orders.database] {
      return postgres::open_maintenance_store(url, true);
    };
  }
  const auto resources = std::make_shared<StepResources>();  // must survive a worker's restart
  options.worker.resources = resources;
  options.worker.recorder = std::move(recorder);
  options.worker.quarantine = quarantine;
  options.kept.board = board;
  options.plugins =
      std::make_shared<PluginWatcher>(std::move(folders), loader, registry, *board, plugin_log(log),
                                      PluginWatcher::Options{.rescan = config.plugins.rescan});
  const auto tree = ServeTree::start(std::move(options), registry, open_store, log);
  if (!tree) return setup.fail(tree.error());
  if (verdicts && verdicts->problem()) log->warn("{}", verdicts->problem()->message);
  if (!orders.trial) warn_of_flows(config, registry, *log);
  const auto ended = [&] {
    const ControlReader reader(control, **tree, *quarantine, *log);
    return (*tree)->wait();
  }();
  resources->end(*log);
  int status = ended ? EXIT_SUCCESS : setup.fail(ended.error());
  if (ended && (*tree)->stuck() > 0) status = EXIT_FAILURE;  // the log names them
  if (ended) log->info("stopped");
  if ((*tree)->left_behind() > 0) {  // threads still run: nothing that they use may be destroyed
    report_exit(control, status);
    std::_Exit(status);
  }
  return status;
}

// Ctrl-C in a terminal and systemd's stop reach every process of the service; this one acts only on
// the parent's request. It has handlers that do nothing, because programs that a step starts would
// inherit an ignored signal.
void leave_signals_to_parent() {
  struct sigaction nothing{};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &nothing, nullptr);
  ::sigaction(SIGINT, &nothing, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our log that ends must not end this process
  std::signal(SIGTTOU, SIG_IGN);  // this process is in the background of the terminal it logs to
}

}  // namespace

int run_worker_process(const ProcessSetup& setup) {
  leave_signals_to_parent();
  for (const int fd :
       {WorkerProcess::orders_fd, WorkerProcess::control_fd, WorkerProcess::recorder_fd})
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  const FileDescriptor memory(WorkerProcess::orders_fd);
  const FileDescriptor control(WorkerProcess::control_fd);
  FileDescriptor page(WorkerProcess::recorder_fd);
  int status = EXIT_FAILURE;
  try {
    const auto orders = read_orders(memory);
    if (orders) end_with_parent(orders->parent);
    auto recorder = FlightRecorder::open(std::move(page));
    if (!orders) {
      status = setup.fail(orders.error());
    } else if (!recorder) {
      status = setup.fail(recorder.error());
    } else {
      // Never destroyed: the fault handler uses it until the process ends.
      static const auto& kept = *new auto(std::make_shared<FlightRecorder>(*std::move(recorder)));
      install_fault_handler(*kept, control.fd());
      record_libraries(*kept);
      status = work(*orders, control, kept, setup);
    }
  } catch (...) {
    status = setup.fail(unforeseen_error());
  }
  report_exit(control, status);
  return status;
}

}  // namespace weir
