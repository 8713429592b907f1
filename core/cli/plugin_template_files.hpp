#pragma once
#include <span>
#include <string_view>

namespace weir::cli {

/// A file of core/cli/plugin_templates/, with its path relative to that folder.
struct TemplateFile {
  std::string_view path;
  std::string_view text;
};

std::span<const TemplateFile> plugin_template_files();

}  // namespace weir::cli
