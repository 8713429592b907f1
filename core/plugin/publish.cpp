#include <algorithm>
#include <cstddef>
#include <utility>

#include "plugin/loader.hpp"

namespace weir {
namespace {

// Registers all of them at once; when that is refused, one half after the other, so that the first
// of two that collide is registered.
void publish_range(FlowRegistry& registry, std::span<const OpenedPlugin* const> plugins,
                   std::span<std::optional<PluginError>> refused) {
  if (plugins.empty()) return;
  FlowRegistry::Transaction transaction = registry.begin();
  for (const OpenedPlugin* const plugin : plugins)
    for (const FlowModule& module : plugin->modules) transaction.register_(module);
  const auto committed = transaction.commit();
  if (committed) return;
  if (plugins.size() == 1) {
    refused.front() = refused_by_registry(committed.error(), plugins.front()->inspection.file);
    return;
  }
  const std::size_t half = plugins.size() / 2;
  publish_range(registry, plugins.first(half), refused.first(half));
  publish_range(registry, plugins.subspan(half), refused.subspan(half));
}

}  // namespace

std::vector<std::optional<PluginError>> publish(FlowRegistry& registry,
                                                std::span<const OpenedPlugin* const> plugins) {
  std::vector<std::optional<PluginError>> refused(plugins.size());
  publish_range(registry, plugins, refused);
  return refused;
}

PluginError refused_by_registry(const Error& error, const PluginFile& file) {
  const PluginFault kind =
      error.kind == "duplicate_slug" ? PluginFault::duplicate_slug : PluginFault::duplicate_module;
  return placed(refusal(PluginStage::publish, kind, error.message, error.hint).error(), file);
}

}  // namespace weir
