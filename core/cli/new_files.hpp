#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace weir::cli {

/// A file to be written, by its name below some folder.
struct NewFile {
  std::string name;
  std::string text;
};

/// Makes a folder and those above it that are missing, with mode 0755 whatever the umask: plugins
/// in a folder that others may write are refused. Errors: unavailable.
Result<void> make_folders(const std::filesystem::path& folder);

/// Never over a file that is there, also when it appeared this very moment. Errors: unavailable.
Result<void> write_new(const std::filesystem::path& path, std::string_view text);

/// Puts `text` in the place of a file in one step, with the file's mode; a new one gets 0644. A
/// link stays one. Errors: unavailable; the file is then as it was.
Result<void> replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace weir::cli
