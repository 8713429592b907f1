#pragma once
#include <filesystem>
#include <string_view>

#include "base/error.hpp"

namespace weir::local {

/// An error with the message "cannot ACTION PATH: text of errno" and the kind no_permission,
/// disk_full or folder_unusable, depending on errno.
Error folder_error(std::string_view action, const std::filesystem::path& path, int error_number);

/// An error with `hint`, to which it adds that naming a database server solves the problem too.
Error unavailable(std::string_view kind, std::string message, std::string_view hint);

}  // namespace weir::local
