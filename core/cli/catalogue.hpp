#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal/console.hpp"
#include "config/config.hpp"
#include "definition/flow_definition.hpp"
#include "plugin/plugin_error.hpp"
#include "registry/flow_handle.hpp"

namespace weir::cli {

/// A flow as a plugin file describes it, with its overrides from flows.yaml.
struct CatalogueFlow {
  FlowDefinition definition;
  PluginFile file;
  FlowOverrides overrides;

  /// The options a step runs with.
  StepOptions effective(const StepDefinition& step) const {
    return overridden(step.options, step.kind, step.slug.string(), overrides);
  }
};

/// The contents of the plugin folders, found without running any plugin's code.
struct Catalogue {
  std::vector<CatalogueFlow> flows;  ///< by slug
  std::vector<PluginError> refused;  ///< in the order of the files
  std::size_t plugins = 0;           ///< how many sound plugins

  /// By slug, or else by module name. Errors: not_found with the nearest.
  Result<const CatalogueFlow*> find(std::string_view name) const;
};

/// Folders of the configuration that do not exist or cannot be read. Each error points to the place
/// in flows.yaml that names the folder, if there is one.
Faults folder_faults(const Config& config);

/// Reads every plugin of the folders. As when they are loaded, a plugin with a name that is taken
/// is refused as a whole. Errors: as folder_faults().
std::expected<Catalogue, Faults> read_catalogue(const Config& config);

/// A warning, with its place in flows.yaml, for every override that has no effect: of flows and
/// steps that do not exist, and of options that do not apply to a step's kind.
std::vector<std::string> idle_overrides(const Config& config, const Catalogue& catalogue);

/// Prints which plugins were refused, and which overrides have no effect.
void warn_of(const Catalogue& catalogue, const Config& config, Console& console);

}  // namespace weir::cli
