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
#include "plugin/scanner.hpp"
#include "plugin/stage.hpp"
#include "plugin/staged_copy.hpp"
#include "plugin/trust.hpp"
#include "plugin/verdict_cache.hpp"
#include "registry/flow_registry.hpp"

namespace weir {

/// What a loader works with besides its stage. All may be missing; what is there outlives it.
struct LoaderParts {
  Scanner* scanner = nullptr;        ///< null: nobody tries a plugin before it is loaded here
  VerdictCache* verdicts = nullptr;  ///< null: every plugin is scanned, each time
  /// Where a plugin's code is to run; unset: in this process.
  std::function<PluginHost&(const Manifest&)> host = {};
};

/// A plugin whose code is there to be run. Nobody can find it yet.
struct OpenedPlugin {
  PluginInspection inspection;
  StagedCopy staged;
  std::vector<FlowModule> modules;
  bool isolated = false;  ///< PluginHost::isolated()
};

using LoadResult = std::expected<OpenedPlugin, PluginError>;

/// Brings plugins to life: the whole way from a file to a flow that can be run
/// (docs/architecture.md). Without a scanner, loading runs the library's constructors in this
/// process untried.  [any thread; loading is serialised]
class PluginLoader {
 public:
  explicit PluginLoader(StageDirectory stage, TrustPolicy policy = {}, LoaderParts parts = {})
      : stage_(std::move(stage)), policy_(std::move(policy)), parts_(std::move(parts)) {}

  /// What became of each file, in their order: a plugin with its code, or why it is refused. None
  /// hinders another. Files are read and copied, tried by the scanner, and loaded, each stage
  /// beside the others. Errors: all but duplicate_* with a plugin elsewhere.
  std::vector<LoadResult> load(std::span<const std::filesystem::path> paths) const;

  /// The flows of one plugin, with their code, in the manifest's order. Errors: as above.
  std::expected<std::vector<FlowModule>, PluginError> load(const std::filesystem::path& path) const;

 private:
  LoadResult opened(LoadPipeline::Checked checked) const;
  PluginHost& host_of(const Manifest& manifest) const;

  StageDirectory stage_;
  TrustPolicy policy_;
  LoaderParts parts_;
};

}  // namespace weir
