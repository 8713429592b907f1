#include "serve/plugin_watch.hpp"

#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

#include <weir/supervisor/thread_child.hpp>

namespace weir {

PluginObserver plugin_log(std::shared_ptr<Log> log, std::shared_ptr<FlowWorkers> workers) {
  PluginObserver observer;
  observer.live = [log](const PluginFile& file, std::string_view slug) {
    log->info("flow {} from {}", slug, file.path);
  };
  observer.took_over = [log](const PluginFile& file, std::string_view slug) {
    constexpr std::size_t shown = 12;  // digits: enough to distinguish two files
    log->info("flow {}: {} (sha256 {}) takes over in this process", slug, file.path,
              std::string_view(file.sha256).substr(0, shown));
  };
  observer.removed = [log](const PluginFile& file, std::string_view slug) {
    log->info("flow {} of {} is removed: runs in progress continue, others wait for it", slug,
              file.path);
  };
  observer.refused = [log](const PluginError& error) { log->warn("{}", to_string(error)); };
  observer.unloaded = [log](const PluginFile& file) {
    log->debug("{} (sha256 {}) is unloaded", file.path, file.sha256);
  };
  observer.pinned = [log](const PluginError& error) { log->warn("{}", to_string(error)); };
  observer.no_file_events = [log](const std::string& why) {
    log->warn("plugin folders are only scanned periodically: {}", why);
  };
  observer.flows_changed = [workers = std::move(workers)] {
    (workers ? workers : FlowWorkers::of_this_process())->wake_all();
  };
  return observer;
}

ChildSpec plugin_watch(std::shared_ptr<PluginWatcher> watcher) {
  return {.id = "plugins",
          .start = [watcher = std::move(watcher)](ChildEnd end) -> Result<std::shared_ptr<Child>> {
            watcher->start();
            return std::make_shared<ThreadChild>(
                std::move(end),
                [watcher](const StopSignal&) -> Result<void> {
                  watcher->run();
                  return {};
                },
                [watcher] { watcher->stop(); });
          },
          .restart = Restart::permanent,
          .shutdown = Shutdown::after(std::chrono::seconds(5)),
          .name = {}};
}

}  // namespace weir
