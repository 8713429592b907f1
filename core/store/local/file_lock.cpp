#include "store/local/file_lock.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

#include "store/local/deadline.hpp"
#include "store/local/folder_error.hpp"

namespace weir::local {

Result<FileLock> FileLock::open(const std::filesystem::path& file, const Identity& owner) {
  FileDescriptor opened(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!opened) return std::unexpected(folder_error("open the lock", file, errno));
  if (!owner.is_us() && fchown(opened.fd(), owner.uid, owner.gid) != 0) {
    return std::unexpected(folder_error("change the owner of", file, errno));
  }
  return FileLock(std::move(opened), file);
}

Result<FileLock> FileLock::open_folder(const std::filesystem::path& folder) {
  FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return std::unexpected(folder_error("open the folder", folder, errno));
  return FileLock(std::move(opened), folder);
}

Result<void> FileLock::lock_exclusive() { return wait_for(LOCK_EX); }
Result<bool> FileLock::lock_exclusive(const std::function<bool()>& given_up) {
  while (flock(file_.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return std::unexpected(folder_error("lock", path_, errno));
    if (given_up()) return false;
    Deadline::wait_one_interval();
  }
  return true;
}

Result<void> FileLock::lock_shared() { return wait_for(LOCK_SH); }

bool FileLock::try_lock_exclusive() noexcept { return flock(file_.fd(), LOCK_EX | LOCK_NB) == 0; }

Result<void> FileLock::wait_for(int operation) {
  while (flock(file_.fd(), operation) != 0) {
    if (errno != EINTR) return std::unexpected(folder_error("lock", path_, errno));
  }
  return {};
}

}  // namespace weir::local
