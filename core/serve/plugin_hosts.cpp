#include "serve/plugin_hosts.hpp"

#include <utility>

namespace weir {

PluginHosts::PluginHosts(const Config& config, const IsolatedHost::OnCrash& on_crash,
                         const std::shared_ptr<Log>& log) {
  for (const auto& [plugin, hosting] : config.plugins.hosting) {
    if (hosting.mode != HostingMode::isolated) continue;
    IsolatedOptions options;
    options.processes = hosting.processes > 0 ? hosting.processes : config.worker.slots;
    options.memory_bytes = hosting.memory_bytes;
    isolated_.emplace(plugin, std::make_unique<IsolatedHost>(std::move(options), on_crash, log));
  }
}

PluginHost& PluginHosts::of(const Manifest& manifest) {
  const auto found = isolated_.find(manifest.plugin);
  if (found == isolated_.end()) return in_process_;
  return *found->second;
}

}  // namespace weir
