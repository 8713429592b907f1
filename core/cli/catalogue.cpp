#include "cli/catalogue.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/nearest.hpp"
#include "config/idle_overrides.hpp"
#include "plugin/inspection.hpp"
#include "plugin/plugin_folder.hpp"

namespace weir::cli {
namespace {

Error folder_fault(const Config& config, const PluginFolder& folder, const PluginError& error) {
  const std::string message = fmt::format("{}: {}", folder.path.string(), error.detail);
  const std::string hint = error.kind == PluginFault::not_found
                               ? "make it, or name another under plugins.folders in flows.yaml"
                               : error.hint;
  const bool pointed = config.source != nullptr && folder.where.bytes > 0;
  Error fault{.code = ErrorCode::invalid_input,
              .kind = std::string(name(error.kind)),
              .message = message,
              .hint = hint};
  if (!pointed) return fault;
  fault.message = config.source->pointed(folder.where, "error", to_string(fault));
  fault.hint.clear();
  return fault;
}

// The slugs and modules that are taken, each with the file that has it.
class Names {
 public:
  // Takes all names of a plugin, or none.
  std::optional<PluginError> take(const PluginInspection& plugin) {
    for (const FlowDefinition& flow : plugin.flows) {
      if (const auto held = slugs_.find(flow.slug().folded()); held != slugs_.end())
        return refusal(plugin, PluginFault::duplicate_slug, "slug", flow.slug().view(),
                       held->second);
      if (const auto held = modules_.find(flow.module().string()); held != modules_.end())
        return refusal(plugin, PluginFault::duplicate_module, "module", flow.module().view(),
                       held->second);
    }
    for (const FlowDefinition& flow : plugin.flows) {
      slugs_.emplace(flow.slug().folded(), plugin.file);
      modules_.emplace(flow.module().string(), plugin.file);
    }
    return std::nullopt;
  }

 private:
  static PluginError refusal(const PluginInspection& plugin, PluginFault kind,
                             std::string_view what, std::string_view name,
                             const PluginFile& holder) {
    return {.kind = kind,
            .stage = PluginStage::publish,
            .path = plugin.file.path,
            .sha256 = plugin.file.sha256,
            .detail = fmt::format("{} \"{}\" is taken by {} (sha256 {})", what, name, holder.path,
                                  holder.sha256),
            .hint = "rename one, or remove one of the files",
            .faults = {}};
  }

  std::map<std::string, PluginFile> slugs_, modules_;
};

}  // namespace

Result<const CatalogueFlow*> Catalogue::find(std::string_view name) const {
  std::vector<std::string> known;
  for (const CatalogueFlow& flow : flows) {
    if (flow.definition.slug().view() == name || flow.definition.module().view() == name)
      return &flow;
    known.push_back(flow.definition.slug().string());
  }
  for (const CatalogueFlow& flow : flows) known.push_back(flow.definition.module().string());
  return std::unexpected(
      Error{.code = ErrorCode::not_found,
            .kind = "unknown_flow",
            .message = fmt::format("no flow \"{}\" in the plugin folders", name),
            .hint = did_you_mean(name, known, "\"weir flows list\" shows all flows")});
}

Faults folder_faults(const Config& config) {
  Faults faults;
  for (const PluginFolder& folder : config.plugins.folders)
    if (const auto files = discover(folder.path); !files)
      faults.push_back(folder_fault(config, folder, files.error()));
  return faults;
}

std::expected<Catalogue, Faults> read_catalogue(const Config& config) {
  if (Faults faults = folder_faults(config); !faults.empty())
    return std::unexpected(std::move(faults));
  Catalogue catalogue;
  Names names;
  const TrustPolicy policy{.sha256_allow = config.plugins.sha256_allow};
  for (const PluginFolder& folder : config.plugins.folders) {
    const auto files = discover(folder.path);
    if (!files) continue;  // the folder was removed since folder_faults()
    for (const std::filesystem::path& file : *files) {
      auto plugin = inspect(file, policy);
      auto refusal = plugin ? names.take(*plugin) : std::optional(plugin.error());
      if (refusal) {
        catalogue.refused.push_back(*std::move(refusal));
        continue;
      }
      ++catalogue.plugins;
      for (FlowDefinition& flow : plugin->flows) {
        const auto said = config.flows.find(flow.slug());
        FlowOverrides overrides =
            said == config.flows.end() ? FlowOverrides{} : said->second.overrides;
        catalogue.flows.push_back({std::move(flow), plugin->file, std::move(overrides)});
      }
    }
  }
  std::ranges::sort(catalogue.flows, {},
                    [](const CatalogueFlow& flow) { return flow.definition.slug(); });
  return catalogue;
}

std::vector<std::string> idle_overrides(const Config& config, const Catalogue& catalogue) {
  KnownFlows flows;
  for (const CatalogueFlow& flow : catalogue.flows) flows.push_back(&flow.definition);
  std::vector<std::string> warnings;
  for (const IdleOverride& idle : idle_overrides(config, flows))
    warnings.push_back(config.source->pointed(idle.where, "warning", idle.what));
  return warnings;
}

void warn_of(const Catalogue& catalogue, const Config& config, Console& console) {
  for (const PluginError& refused : catalogue.refused) console.warn(to_string(refused));
  for (const std::string& warning : idle_overrides(config, catalogue)) console.say(warning);
}

}  // namespace weir::cli
