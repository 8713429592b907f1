#pragma once
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "definition/flow_definition.hpp"
#include "definition/manifest.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/trust.hpp"
#include "registry/flow_handle.hpp"

namespace weir {

/// A plugin's description of itself, checked without running any of its code.
struct PluginInspection {
  PluginFile file;
  std::string note;  ///< the manifest, byte for byte as the file has it
  Manifest manifest;
  std::vector<FlowDefinition> flows;  ///< in the manifest's order
  std::vector<std::string> needed{};  ///< libraries it needs: "libc.so.6"
  std::string runpath = {};           ///< where it says they may be found
};

/// Reads and checks a plugin: trust, ELF frame, manifest, definitions, the definition symbol's
/// header, and that every library and symbol it needs exists. Runs no code of the plugin and maps
/// none of it: `weir plugins lint` and `weir flows list` use this.  [any thread]
///
/// Errors: all of stages verify and manifest; missing_dependency and undefined_symbol of stage
/// `stage`.
std::expected<PluginInspection, PluginError> inspect(const std::filesystem::path& path,
                                                     const TrustPolicy& policy = {});

/// The part of inspect() that examines only the bytes, not this machine's libraries. The bytes may
/// be anything.
std::expected<PluginInspection, PluginError> inspect_bytes(const TrustedFile& file);

/// Makes an error about `file` more precise by examining this machine's libraries: load_failed may
/// become missing_dependency or undefined_symbol, and missing_symbol symbol_not_in_this_object.
/// Other errors are returned as they are.
PluginError explained(PluginError error, const TrustedFile& file);

}  // namespace weir
