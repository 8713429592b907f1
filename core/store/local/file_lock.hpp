#pragma once
#include <filesystem>
#include <functional>

#include "base/error.hpp"
#include "base/file_descriptor.hpp"
#include "store/local/identity.hpp"

namespace weir::local {

/// A lock between processes, and between objects of one process, on a file or a folder (flock). It
/// is released when the object is destroyed or the process ends in any way.
class FileLock {
 public:
  /// Opens the file; makes it if it is missing, owned by `owner`. The lock is not held yet.
  static Result<FileLock> open(const std::filesystem::path& file, const Identity& owner);

  /// Opens a folder that exists. The lock is not held yet.
  static Result<FileLock> open_folder(const std::filesystem::path& folder);

  /// Takes the exclusive lock; waits until no other object holds or shares it.
  Result<void> lock_exclusive();
  /// Takes it, and returns true; false when `given_up`, which is asked every few milliseconds, returns true
  /// before that.
  Result<bool> lock_exclusive(const std::function<bool()>& given_up);
  /// Takes a shared lock; waits until no other object holds the exclusive one.
  Result<void> lock_shared();

  /// Exchanges the shared lock for the exclusive one, if no other object shares it. When this
  /// fails, the shared lock is lost.
  bool try_lock_exclusive() noexcept;

 private:
  FileLock(FileDescriptor file, std::filesystem::path path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Result<void> wait_for(int operation);

  FileDescriptor file_;
  std::filesystem::path path_;
};

}  // namespace weir::local
