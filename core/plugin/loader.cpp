#include "plugin/loader.hpp"

#include <cstddef>
#include <utility>

#include "plugin/in_process_host.hpp"
#include "plugin/plugin_folder.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

PluginError placed(PluginError error, const PluginFile& file) {
  error.path = file.path;
  error.sha256 = file.sha256;
  return error;
}

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

LoadResult PluginLoader::load_one(const fs::path& path) const {
  const auto file = read_trusted(path, policy_);
  if (!file) return std::unexpected(file.error());
  auto inspection = inspect_bytes(*file);
  if (!inspection) return std::unexpected(explained(std::move(inspection.error()), *file));
  auto staged = stage_.put(*file);
  if (!staged) return std::unexpected(placed(std::move(staged.error()), inspection->file));
  auto modules = host_of(inspection->manifest).open(*inspection, *staged);
  if (!modules) return std::unexpected(explained(std::move(modules.error()), *file));
  return OpenedPlugin{.inspection = *std::move(inspection),
                      .staged = *std::move(staged),
                      .modules = *std::move(modules)};
}

std::vector<LoadResult> PluginLoader::load(std::span<const fs::path> paths) const {
  std::vector<LoadResult> results;
  results.reserve(paths.size());
  for (const fs::path& path : paths) results.push_back(load_one(path));
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
