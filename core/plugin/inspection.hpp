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

/// What a plugin says of itself, checked without running any of it.
struct PluginInspection {
  PluginFile file;
  std::string note;  ///< the manifest, byte for byte as the file has it
  Manifest manifest;
  std::vector<FlowDefinition> flows;  ///< in the manifest's order
  std::vector<std::string> needed{};  ///< libraries it needs: "libc.so.6"
  std::string runpath = {};           ///< where it says they may be
};

/// Reads and checks a plugin: trust, ELF frame, manifest, definitions, the definition symbol's
/// header, and that every library and symbol it needs is there. Runs no code of the plugin's and
/// maps none of it: what `weir plugins lint` and `weir flows list` stand on.  [any thread]
///
/// Errors: all of stages verify and manifest; missing_dependency and undefined_symbol of stage
/// `stage`.
std::expected<PluginInspection, PluginError> inspect(const std::filesystem::path& path,
                                                     const TrustPolicy& policy = {});

/// The part of inspect() that looks at the bytes alone, not at this machine's libraries. Survives
/// any bytes.
std::expected<PluginInspection, PluginError> inspect_bytes(const TrustedFile& file);

/// An error about `file`, told with what this machine's libraries are: load_failed may turn out to
/// be missing_dependency or undefined_symbol, and missing_symbol symbol_not_in_this_object. Others
/// stay.
PluginError explained(PluginError error, const TrustedFile& file);

}  // namespace weir
