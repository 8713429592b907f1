#include "plugin/loader.hpp"

#include <chrono>
#include <cstddef>
#include <utility>

#include "plugin/in_process_host.hpp"

namespace weir {
namespace fs = std::filesystem;

PluginHost& PluginLoader::host_of(const Manifest& manifest) const {
  static InProcessHost in_process;
  return parts_.host ? parts_.host(manifest) : in_process;
}

std::optional<PluginError> PluginLoader::barred(const PluginFile& file) const {
  if (parts_.quarantine == nullptr) return std::nullopt;
  auto bar = parts_.quarantine->barred_loading(file.sha256, std::chrono::steady_clock::now());
  if (!bar) return std::nullopt;
  return placed(refusal(PluginStage::stage, PluginFault::plugin_quarantined, std::move(bar->crash),
                        "its runs wait; it is loaded again when its quarantine is over: see what "
                        "its constructors do")
                    .error(),
                file);
}

LoadResult PluginLoader::opened(LoadPipeline::Checked checked) const {
  if (!checked) return std::unexpected(std::move(checked.error()));
  if (auto error = barred(checked->inspection.file)) return std::unexpected(*std::move(error));
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
    LoadPipeline pipeline(paths, stage_, policy_, parts_.scanner, parts_.verdicts,
                          parts_.quarantine);
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

}  // namespace weir
