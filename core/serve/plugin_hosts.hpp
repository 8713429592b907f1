#pragma once
#include <map>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "config/config.hpp"
#include "definition/manifest.hpp"
#include "isolated/isolated_host.hpp"
#include "plugin/in_process_host.hpp"

namespace weir {

/// Where each plugin's code runs, as configured (plugins.hosting). Must outlive the loader and
/// every module that it loaded.
class PluginHosts {
 public:
  /// `on_crash` is told of the crashes of isolated plugins.
  PluginHosts(const Config& config, const IsolatedHost::OnCrash& on_crash,
              const std::shared_ptr<Log>& log);

  /// For LoaderParts::host.  [any thread]
  PluginHost& of(const Manifest& manifest);

 private:
  InProcessHost in_process_;
  std::map<std::string, std::unique_ptr<IsolatedHost>> isolated_;  // by plugin name; never changed
};

}  // namespace weir
