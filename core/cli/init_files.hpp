#pragma once
#include <span>
#include <string_view>

namespace weir::cli {

/// A file that `weir init` writes beside a first flow; its text is in core/cli/init_files/.
struct InitFile {
  std::string_view name;  ///< relative to the new folder
  std::string_view text;
};

std::span<const InitFile> init_files();

}  // namespace weir::cli
