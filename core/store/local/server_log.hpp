#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir::local {

/// What PostgreSQL's programs logged about one start: the part of a log that is new since then.
class ServerLog {
 public:
  /// The part from the present end on. A large log is renamed, so that a new one begins.
  static ServerLog from_now(const std::filesystem::path& file);

  /// An error with the message "what; FILE ends with …" and the last lines; its kind is disk_full
  /// when they say so, else `kind`.
  Error failure(std::string_view kind, std::string_view what) const;

 private:
  ServerLog(std::filesystem::path file, std::size_t begin)
      : file_(std::move(file)), begin_(begin) {}
  std::string last_lines() const;

  std::filesystem::path file_;
  std::size_t begin_;
};

}  // namespace weir::local
