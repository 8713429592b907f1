#pragma once
#include <filesystem>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"
#include "store/local/identity.hpp"

namespace weir::local {

/// A lock between processes, and between objects of one process, on a file or a folder (flock).
/// Goes with the object, and with the process however that ends.
class FileLock {
 public:
  /// Opens the file, making it with `owner` as its owner. Holds nothing yet.
  static Result<FileLock> open(const std::filesystem::path& file, const Identity& owner);

  /// Opens a folder that exists. Holds nothing yet.
  static Result<FileLock> open_folder(const std::filesystem::path& folder);

  /// Waits until nobody else holds it, or only sharers do.
  Result<void> hold();
  Result<void> share();

  /// Trades a share for the whole, if this is the last share. When it fails the share is lost.
  bool try_hold() noexcept;

 private:
  FileLock(FileDescriptor file, std::filesystem::path path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Result<void> wait_for(int operation);

  FileDescriptor file_;
  std::filesystem::path path_;
};

}  // namespace weir::local
