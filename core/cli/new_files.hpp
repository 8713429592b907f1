#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace weir::cli {

/// A file to be written; its name is relative to a folder.
struct NewFile {
  std::string name;
  std::string text;
};

/// Makes a folder and its missing parents, with mode 0755 whatever the umask is: plugins in a
/// folder that others may write to are refused. Errors: unavailable.
Result<void> make_folders(const std::filesystem::path& folder);

/// Writes a new file; never replaces one, not even one that appears at the same time. Errors:
/// unavailable.
Result<void> write_new(const std::filesystem::path& path, std::string_view text);

/// Replaces the contents of a file atomically and keeps its mode; a new file gets 0644. A symbolic
/// link stays one. Errors: unavailable; then the file is unchanged.
Result<void> replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace weir::cli
