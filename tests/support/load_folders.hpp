#pragma once
#include <chrono>
#include <filesystem>
#include <utility>
#include <vector>

#include "plugin/plugin_board.hpp"
#include "plugin/plugin_watcher.hpp"

namespace weir::testing {

/// What became of the files of some plugin folders, both by path.
struct LoadReport {
  std::vector<PluginStatus> loaded;
  std::vector<PluginError> refused;
};

/// Loads and publishes every plugin of `folders`, as `weir serve` does when it starts.
inline LoadReport load_folders(const PluginLoader& loader,
                               std::vector<std::filesystem::path> folders, FlowRegistry& registry) {
  PluginBoard board;
  PluginWatcher(std::move(folders), loader, registry, board, {},
                {.refusal_delay = std::chrono::milliseconds(0)})
      .start();
  LoadReport report;
  for (PluginStatus& status : board.list())
    if (status.error)
      report.refused.push_back(*std::move(status.error));
    else
      report.loaded.push_back(std::move(status));
  return report;
}

}  // namespace weir::testing
