#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir::local {

/// Puts `text` into a file, whole and on disk or not at all; others may read it. A symbolic link of
/// that name is replaced, not followed.
Result<void> write_small_file(const std::filesystem::path& file, std::string_view text);

/// What a file holds from `offset` on, without the white space at its end; empty when it cannot be
/// read.
std::string read_small_file(const std::filesystem::path& file, std::size_t offset = 0);

}  // namespace weir::local
