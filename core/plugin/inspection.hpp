#pragma once
#include <expected>
#include <filesystem>
#include <vector>

#include "definition/flow_definition.hpp"
#include "definition/manifest.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/trust.hpp"
#include "registry/flow_registry.hpp"

namespace weir {

/// What a plugin says of itself, checked without running any of it.
struct PluginInspection {
  PluginFile file;
  Manifest manifest;
  std::vector<FlowDefinition> flows;  ///< in the manifest's order
};

/// Reads and checks a plugin: trust, ELF frame, manifest, definitions, the definition symbol's header, and
/// that every library and symbol it needs is there. Runs no code of the plugin's and maps none of it: what
/// `weir plugins lint` and `weir flows list` stand on.  [any thread]
///
/// Errors: all of stages verify and manifest, with missing_dependency and undefined_symbol of stage `stage`.
std::expected<PluginInspection, PluginError> inspect(const std::filesystem::path& path,
                                                     const TrustPolicy& policy = {});

/// The part of inspect() that looks at the file's bytes alone, not at the libraries of this machine. Survives
/// any bytes.
std::expected<PluginInspection, PluginError> inspect_bytes(const TrustedFile& file);

}  // namespace weir
