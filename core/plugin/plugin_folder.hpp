#pragma once
#include <expected>
#include <filesystem>
#include <vector>

#include "plugin/plugin_error.hpp"

namespace weir {

/// The plugin candidates of a folder, sorted by name: every entry `*.so` of its top level, of
/// whatever kind, so that a link or FIFO of that name is reported rather than ignored. Dotfiles,
/// `*.tmp` and everything else are ignored. Opens no file.  [any thread]
///
/// Errors: not_found, not_regular (not a folder), unreadable; stage discover.
std::expected<std::vector<std::filesystem::path>, PluginError> discover(
    const std::filesystem::path& folder);

}  // namespace weir
