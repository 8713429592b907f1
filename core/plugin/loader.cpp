#include "plugin/loader.hpp"

#include <cstddef>
#include <utility>

#include "plugin/in_process_host.hpp"
#include "plugin/plugin_folder.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

LoadedPlugin told(const OpenedPlugin& plugin) {
  LoadedPlugin loaded{.file = plugin.inspection.file,
                      .name = plugin.inspection.manifest.plugin,
                      .version = plugin.inspection.manifest.version,
                      .flows = {}};
  for (const FlowDefinition& flow : plugin.inspection.flows) loaded.flows.push_back(flow.slug());
  return loaded;
}

}  // namespace

PluginHost& PluginLoader::host_of(const Manifest& manifest) const {
  static InProcessHost in_process;
  return parts_.host ? parts_.host(manifest) : in_process;
}

LoadResult PluginLoader::opened(LoadPipeline::Checked checked) const {
  if (!checked) return std::unexpected(std::move(checked.error()));
  PluginHost& host = host_of(checked->inspection.manifest);
  auto modules = host.open(checked->inspection, checked->staged);
  if (!modules) return std::unexpected(explained_of_copy(std::move(modules.error()), *checked));
  return OpenedPlugin{.inspection = std::move(checked->inspection),
                      .staged = std::move(checked->staged),
                      .modules = *std::move(modules),
                      .isolated = host.isolated()};
}

std::vector<LoadResult> PluginLoader::load(std::span<const fs::path> paths) const {
  std::vector<LoadResult> results;
  results.reserve(paths.size());
  {
    LoadPipeline pipeline(paths, stage_, policy_, parts_.scanner, parts_.verdicts);
    while (results.size() < paths.size()) results.push_back(opened(pipeline.take()));
  }
  // If the cache can't be written, its owner learns that from problem().
  if (parts_.verdicts != nullptr) static_cast<void>(parts_.verdicts->save());
  return results;
}

std::expected<std::vector<FlowModule>, PluginError> PluginLoader::load(const fs::path& path) const {
  LoadResult result = std::move(load(std::span(&path, 1)).front());
  if (!result) return std::unexpected(std::move(result.error()));
  return std::move(result->modules);
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
    const std::vector<LoadResult> results = load(*paths);
    std::vector<const OpenedPlugin*> opened;
    for (const LoadResult& result : results)
      if (result) opened.push_back(&*result);
    std::vector<std::optional<PluginError>> refused = publish(registry, opened);
    std::size_t next = 0;  // of opened
    for (const LoadResult& result : results) {
      std::optional<PluginError> error = result ? std::move(refused[next++]) : result.error();
      if (error)
        report.refused.push_back(*std::move(error));
      else
        report.loaded.push_back(told(*result));
    }
  }
  return report;
}

}  // namespace weir
