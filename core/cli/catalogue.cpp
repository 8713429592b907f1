#include "cli/catalogue.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <weir/abi/plugin.h>

#include "base/nearest.hpp"
#include "base/printable.hpp"
#include "config/idle_overrides.hpp"
#include "plugin/inspection.hpp"
#include "plugin/plugin_folder.hpp"
#include "registry/flow_registry.hpp"

namespace weir::cli {
namespace {

Error folder_fault(const Config& config, const PluginFolder& folder, const PluginError& error) {
  const std::string message = fmt::format("{}: {}", folder.path.string(), error.detail);
  const std::string hint = error.kind == PluginFault::not_found
                               ? "make it, or name another under plugins.folders in flows.yaml"
                               : error.hint;
  const bool has_place = config.source != nullptr && folder.where.bytes > 0;
  Error fault{.code = ErrorCode::invalid_input,
              .kind = std::string(name(error.kind)),
              .message = message,
              .hint = hint};
  if (!has_place) return fault;
  fault.message = config.source->pointed(folder.where, "error", to_string(fault));
  fault.hint.clear();
  return fault;
}

// A flow without its code, for asking a registry whether its names are free.
FlowModule without_code(const FlowDefinition& flow, const PluginFile& file) {
  static constexpr weir_step no_code = {
      .struct_size = sizeof(weir_step),
      .reserved = 0,
      .slug = {},
      .run = [](const weir_host*, weir_call*, weir_str, void*) -> std::int32_t {
        return WEIR_FAILED_FOR_GOOD;
      },
      .user = nullptr};
  return {.definition = flow, .steps = {flow.steps().size(), &no_code}, .file = file, .code = {}};
}

// All flows of a plugin, or none, as when it is published.
std::optional<PluginError> take_names(FlowRegistry& registry, const PluginInspection& plugin) {
  FlowRegistry::Transaction transaction = registry.begin();
  for (const FlowDefinition& flow : plugin.flows)
    transaction.register_(without_code(flow, plugin.file));
  const auto committed = transaction.commit();
  if (committed) return std::nullopt;
  return refused_by_registry(committed.error(), plugin.file);
}

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
  FlowRegistry registry;
  const TrustPolicy policy{.sha256_allow = config.plugins.sha256_allow};
  for (const PluginFolder& folder : config.plugins.folders) {
    const auto files = discover(folder.path);
    if (!files) continue;  // the folder was removed since folder_faults()
    for (const std::filesystem::path& file : *files) {
      auto plugin = inspect(file, policy);
      auto refusal = plugin ? take_names(registry, *plugin) : std::optional(plugin.error());
      if (refusal) {
        catalogue.refused.push_back(*std::move(refusal));
        continue;
      }
      ++catalogue.plugins;
      for (FlowDefinition& flow : plugin->flows) {
        const auto configured = config.flows.find(flow.slug());
        FlowOverrides overrides =
            configured == config.flows.end() ? FlowOverrides{} : configured->second.overrides;
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
  for (const std::string& warning : idle_overrides(config, catalogue))
    console.print_err(printable(warning, Newlines::kept));
}

}  // namespace weir::cli
