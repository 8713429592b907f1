#pragma once
#include <filesystem>
#include <vector>

namespace weir::cli {

struct PluginsLint {
  std::vector<std::filesystem::path> files;
  bool json = false;
  bool strict = false;   ///< warnings count as faults
  bool content = false;  ///< whoever may write the files
};

struct PluginsDiff {
  std::filesystem::path before, after;
  bool json = false;
};

struct PluginsAllow {
  std::vector<std::filesystem::path> files;
  bool json = false;
};

struct PluginsList {
  bool json = false;
};

}  // namespace weir::cli
