#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir::local {

/// Writes `text` to a file atomically and durably; all users may read it. A symbolic link of that
/// name is replaced, not followed.
Result<void> write_small_file(const std::filesystem::path& file, std::string_view text);

/// The contents of a file from `offset` on, without white space at the end; empty when it cannot be
/// read.
std::string read_small_file(const std::filesystem::path& file, std::size_t offset = 0);

}  // namespace weir::local
