#include "store/local/folder_error.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include <fmt/core.h>

namespace weir::local {

Error unavailable(std::string_view kind, std::string message, std::string_view hint) {
  return {.code = ErrorCode::unavailable,
          .kind = std::string(kind),
          .message = std::move(message),
          .hint = fmt::format("{}, or name a server with database: in flows.yaml", hint)};
}

Error folder_error(std::string_view action, const std::filesystem::path& path, int error_number) {
  std::string message = fmt::format("cannot {} \"{}\": {}", action, path.string(),
                                    std::generic_category().message(error_number));
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return unavailable("no_permission", std::move(message),
                         "give this user the right to write there");
    case ENOSPC:
    case EDQUOT:
      return unavailable("disk_full", std::move(message), "free some space there");
    default:
      return unavailable("folder_unusable", std::move(message), "fix the folder");
  }
}

}  // namespace weir::local
