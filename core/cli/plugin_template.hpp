#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/new_files.hpp"

namespace weir::cli {

enum class PluginLanguage { cpp, c, rust };

/// "cpp", "c", "rust"
std::string_view name(PluginLanguage language) noexcept;

/// Whether a new plugin can have that name. Errors: bad_slug (D1); kind reserved_name for names
/// that CMake reserves.
Result<void> check_plugin_name(std::string_view name);

/// A plugin that builds and passes its test without changes, from core/cli/plugin_templates/: flow,
/// file and library have that name.
std::vector<NewFile> new_plugin(PluginLanguage language, std::string_view name);

/// Only the flow's source of new_plugin() in C++.
std::string new_flow_source(std::string_view name);

}  // namespace weir::cli
