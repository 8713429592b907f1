#include "store/local/server_log.hpp"

#include <fmt/core.h>

#include "store/local/folder_error.hpp"
#include "store/local/small_file.hpp"

namespace weir::local {
namespace fs = std::filesystem;

ServerLog ServerLog::from_now(const fs::path& file) {
  constexpr std::uintmax_t bytes_max = 4 * 1024 * 1024;
  std::error_code missing;
  const auto size = fs::file_size(file, missing);
  if (missing) return ServerLog(file, 0);
  if (size > bytes_max) {
    fs::rename(file, file.string() + ".old", missing);
    if (!missing) return ServerLog(file, 0);
  }
  return ServerLog(file, size);
}

std::string ServerLog::last_lines() const {
  constexpr int lines_max = 6;
  const std::string text = read_small_file(file_, begin_);
  std::size_t begin = text.size();
  for (int lines = 0; lines < lines_max && begin > 0; ++lines) {
    const std::size_t before = text.rfind('\n', begin - 1);
    begin = before == std::string::npos ? 0 : before;
  }
  std::string lines = "\n" + text.substr(begin == 0 ? 0 : begin + 1);
  for (std::size_t at = 0; at != std::string::npos; at = lines.find('\n', at + 1)) {
    lines.insert(at + 1, "  ");
  }
  return lines;
}

Error ServerLog::failure(std::string_view kind, std::string_view what) const {
  const std::string lines = last_lines();
  std::string message = fmt::format("{}; \"{}\" ends with{}\n", what, file_.string(), lines);
  const bool full =
      lines.contains("No space left on device") || lines.contains("Disk quota exceeded");
  return full ? unavailable("disk_full", std::move(message), "free some space there")
              : unavailable(kind, std::move(message), "fix what it names");
}

}  // namespace weir::local
