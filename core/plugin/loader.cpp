#include "plugin/loader.hpp"

#include <cstddef>
#include <memory>
#include <utility>

#include <weir/abi/plugin.h>

#include "base/assert.hpp"
#include "plugin/descriptor.hpp"
#include "plugin/library.hpp"
#include "plugin/plugin_folder.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

PluginError placed(PluginError error, const PluginFile& file) {
  error.path = file.path;
  error.sha256 = file.sha256;
  return error;
}

// The descriptor's steps stand in the manifest's order, a definition's in its canonical one.
std::vector<const weir_step*> steps_of(const weir_flow& flow, const FlowDraft& draft,
                                       const FlowDefinition& definition) {
  std::vector<const weir_step*> steps(definition.steps().size());
  for (std::size_t i = 0; i < draft.steps.size(); ++i) {
    const auto position = definition.find(draft.steps[i].slug);
    WEIR_ASSERT(position.has_value());
    steps[*position] = &step_at(flow, i);
  }
  return steps;
}

PluginError refused_by_registry(const Error& error, const PluginFile& file) {
  const PluginFault kind =
      error.kind == "duplicate_slug" ? PluginFault::duplicate_slug : PluginFault::duplicate_module;
  return placed(refusal(PluginStage::publish, kind, error.message, error.hint).error(), file);
}

}  // namespace

std::expected<PluginLoader::Loaded, PluginError> PluginLoader::load_whole(
    const fs::path& path) const {
  const auto file = read_trusted(path, policy_);
  if (!file) return std::unexpected(file.error());
  auto inspection = inspect_bytes(*file);
  if (!inspection) return std::unexpected(explained(std::move(inspection.error()), *file));
  const PluginFile& origin = inspection->file;
  const auto copy = stage_.put(*file);
  if (!copy) return std::unexpected(placed(copy.error(), origin));
  auto library = Library::load(*copy, file->sha256);
  if (!library)
    return std::unexpected(explained(placed(std::move(library.error()), origin), *file));
  const auto descriptor =
      checked_descriptor((*library)->symbol(WEIR_PLUGIN_SYMBOL), (*library)->memory(),
                         inspection->manifest, inspection->note);
  if (!descriptor) return std::unexpected(placed(descriptor.error(), origin));

  Loaded loaded{.inspection = *std::move(inspection), .modules = {}};
  for (std::size_t i = 0; i < loaded.inspection.flows.size(); ++i) {
    const FlowDefinition& definition = loaded.inspection.flows[i];
    loaded.modules.push_back(FlowModule{
        .definition = definition,
        .steps =
            steps_of(flow_at(**descriptor, i), loaded.inspection.manifest.flows[i], definition),
        .file = loaded.inspection.file,
        .code = *library});
  }
  return loaded;
}

std::expected<std::vector<FlowModule>, PluginError> PluginLoader::load(const fs::path& path) const {
  auto loaded = load_whole(path);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  return std::move(loaded->modules);
}

LoadReport PluginLoader::load_folders(std::span<const fs::path> folders,
                                      FlowRegistry& registry) const {
  LoadReport report;
  for (const fs::path& folder : folders) {
    const auto paths = discover(folder);
    if (!paths) {
      report.refused.push_back(paths.error());
      continue;
    }
    for (const fs::path& path : *paths) {
      if (auto published = publish(path, registry))
        report.loaded.push_back(*std::move(published));
      else
        report.refused.push_back(std::move(published.error()));
    }
  }
  return report;
}

std::expected<LoadedPlugin, PluginError> PluginLoader::publish(const fs::path& path,
                                                               FlowRegistry& registry) const {
  auto loaded = load_whole(path);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  LoadedPlugin plugin{.file = loaded->inspection.file,
                      .name = loaded->inspection.manifest.plugin,
                      .version = loaded->inspection.manifest.version,
                      .flows = {}};
  FlowRegistry::Transaction transaction = registry.begin();
  for (FlowModule& module : loaded->modules) {
    plugin.flows.push_back(module.definition.slug());
    transaction.register_(std::move(module));
  }
  if (const auto committed = transaction.commit(); !committed)
    return std::unexpected(refused_by_registry(committed.error(), plugin.file));
  return plugin;
}

}  // namespace weir
