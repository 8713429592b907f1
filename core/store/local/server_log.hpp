#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir::local {

/// What PostgreSQL's programs wrote about one start: a log from where it ended before.
class ServerLog {
 public:
  /// From here on. A log that has grown large makes room for a new one.
  static ServerLog from_now(const std::filesystem::path& file);

  /// "what; FILE ends with …" and its last lines; disk_full where they say so, else `kind`.
  Error failure(std::string_view kind, std::string_view what) const;

 private:
  ServerLog(std::filesystem::path file, std::size_t begin)
      : file_(std::move(file)), begin_(begin) {}
  std::string last_lines() const;

  std::filesystem::path file_;
  std::size_t begin_;
};

}  // namespace weir::local
