#pragma once
#include <filesystem>
#include <string_view>

#include "base/error.hpp"

namespace weir::local {

/// "cannot DID PATH: what errno says": no_permission, disk_full or folder_unusable, whichever errno
/// names.
Error folder_error(std::string_view did, const std::filesystem::path& path, int error_number);

/// The hint that closes every message a person can also answer by naming a database.
Error unavailable(std::string_view kind, std::string message, std::string_view hint);

}  // namespace weir::local
