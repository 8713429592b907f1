#pragma once
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plugin/inspection.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/stage.hpp"
#include "plugin/trust.hpp"
#include "registry/flow_registry.hpp"

namespace weir {

/// A plugin whose flows stand in the registry.
struct LoadedPlugin {
  PluginFile file;
  std::string name;         ///< from the manifest
  std::string version;      ///< likewise, may be empty
  std::vector<Slug> flows;  ///< in the manifest's order
};

/// What became of the files of some plugin folders, both in the order of the files.
struct LoadReport {
  std::vector<LoadedPlugin> loaded;
  std::vector<PluginError> refused;
};

/// Brings plugins to life: the whole way from a file to a flow that can be run
/// (docs/architecture.md). Loading runs the library's constructors in this process.  [any thread;
/// loading is serialised]
///
/// Lifetime: a library that was loaded stays until the process ends, whoever forgets its flows.
class PluginLoader {
 public:
  explicit PluginLoader(StageDirectory stage, TrustPolicy policy = {})
      : stage_(std::move(stage)), policy_(std::move(policy)) {}

  /// The flows of one plugin, with their code, in the manifest's order. Errors: all but duplicate_*
  /// with a plugin elsewhere.
  std::expected<std::vector<FlowModule>, PluginError> load(const std::filesystem::path& path) const;

  /// Loads and registers every plugin of `folders`, in order of folders and names, each plugin in
  /// one transaction: all of its flows are live, or none. A name that is taken stays with its
  /// holder, which the error names. A folder that can't be read is one refusal.
  LoadReport load_folders(std::span<const std::filesystem::path> folders,
                          FlowRegistry& registry) const;

 private:
  struct Loaded {
    PluginInspection inspection;
    std::vector<FlowModule> modules;
  };

  std::expected<Loaded, PluginError> load_whole(const std::filesystem::path& path) const;
  std::expected<LoadedPlugin, PluginError> publish(const std::filesystem::path& path,
                                                   FlowRegistry& registry) const;

  StageDirectory stage_;
  TrustPolicy policy_;
};

}  // namespace weir
