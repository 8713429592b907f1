#pragma once
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plugin/inspection.hpp"
#include "plugin/load_pipeline.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/plugin_host.hpp"
#include "plugin/quarantine.hpp"
#include "plugin/scanner.hpp"
#include "plugin/stage.hpp"
#include "plugin/staged_copy.hpp"
#include "plugin/trust.hpp"
#include "plugin/verdict_cache.hpp"
#include "registry/flow_registry.hpp"

namespace weir {

/// What a loader uses besides its stage. All are optional, and must outlive the loader.
struct LoaderParts {
  Scanner* scanner = nullptr;        ///< null: plugins are loaded here without a scan
  VerdictCache* verdicts = nullptr;  ///< null: every plugin is scanned, each time
  /// Plugins that it bars from being loaded are scanned whatever verdict is known, and not opened;
  /// null: none.
  const Quarantine* quarantine = nullptr;
  /// Where a plugin's code runs; unset: in this process.
  std::function<PluginHost&(const Manifest&)> host = {};
};

/// A plugin whose code is loaded, but not yet published in a registry.
struct OpenedPlugin {
  PluginInspection inspection;
  StagedCopy staged;
  std::vector<FlowModule> modules;
  bool isolated = false;  ///< PluginHost::isolated()
};

using LoadResult = std::expected<OpenedPlugin, PluginError>;

/// Loads plugins: the whole way from a file to a flow that can be run (docs/architecture.md).
/// Without a scanner, loading runs the library's constructors in this process without trying them
/// elsewhere first.  [any thread; loading is serialised]
class PluginLoader {
 public:
  explicit PluginLoader(StageDirectory stage, TrustPolicy policy = {}, LoaderParts parts = {})
      : stage_(std::move(stage)), policy_(std::move(policy)), parts_(std::move(parts)) {}

  /// The outcome for each file, in their order: a plugin with its code, or why it is refused. A
  /// refusal does not affect other files. Reading and copying, scanning, and loading run in
  /// parallel. Errors: all; duplicate_* only for names within one file.
  std::vector<LoadResult> load(std::span<const std::filesystem::path> paths) const;

  /// The flows of one plugin, with their code, in the manifest's order. Errors: as above.
  std::expected<std::vector<FlowModule>, PluginError> load(const std::filesystem::path& path) const;

 private:
  LoadResult opened(LoadPipeline::Checked checked) const;
  std::optional<PluginError> barred(const PluginFile& file) const;
  PluginHost& host_of(const Manifest& manifest) const;

  StageDirectory stage_;
  TrustPolicy policy_;
  LoaderParts parts_;
};

}  // namespace weir
