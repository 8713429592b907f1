#include "plugin/stage.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/assert.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "weir-stage-";

std::unexpected<PluginError> refuse(PluginFault kind, const fs::path& at, std::string detail,
                                    std::string_view hint) {
  PluginError error = refusal(PluginStage::stage, kind, std::move(detail), hint).error();
  error.path = at.string();
  return std::unexpected(std::move(error));
}

std::unexpected<PluginError> refuse_errno(const fs::path& at, std::string_view what, int error) {
  return refuse(
      PluginFault::stage_failed, at,
      fmt::format("{}: {}", what, std::generic_category().message(error)),
      "plugins are copied to a private folder before they are loaded; free some room, or set "
      "XDG_RUNTIME_DIR to a folder Weir may write to");
}

bool forbids_code(const fs::path& folder) {
  struct statvfs status{};
  return ::statvfs(folder.c_str(), &status) == 0 && (status.f_flag & ST_NOEXEC) != 0;
}

std::vector<fs::path> usual_bases() {
  std::vector<fs::path> bases;
  const auto add_variable = [&](const char* name) {
    if (const char* value = std::getenv(name); value != nullptr && *value == '/')
      bases.emplace_back(value);
  };
  add_variable("XDG_RUNTIME_DIR");
  bases.emplace_back("/dev/shm");
  add_variable("TMPDIR");
  bases.emplace_back("/tmp");
  return bases;
}

// Takes the lock that shows that the owner lives, if no process has it and the folder is still at
// its path.
bool lock_folder(const FileDescriptor& folder, const fs::path& path) {
  struct stat opened{}, present{};
  return ::flock(folder.fd(), LOCK_EX | LOCK_NB) == 0 && ::fstat(folder.fd(), &opened) == 0 &&
         ::lstat(path.c_str(), &present) == 0 && opened.st_dev == present.st_dev &&
         opened.st_ino == present.st_ino;
}

void remove_folder(const fs::path& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

FileDescriptor open_folder(const fs::path& path) {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// Removes what processes of this user left behind when they were killed.
void remove_leftovers(const fs::path& base) {
  std::error_code failed;
  for (fs::directory_iterator entry(base, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (!entry->path().filename().native().starts_with(prefix)) continue;
    const FileDescriptor folder = open_folder(entry->path());
    struct stat status{};
    if (folder && ::fstat(folder.fd(), &status) == 0 && status.st_uid == ::geteuid() &&
        lock_folder(folder, entry->path()))
      remove_folder(entry->path());
  }
}

}  // namespace

// Which copies are held. The end of a hold and a new hold on the same file may coincide: then the
// new one decides.
class StageDirectory::Copies : public std::enable_shared_from_this<Copies> {
 public:
  /// Locked from the search for a file until it is held.
  std::mutex mutex;

  std::shared_ptr<const void> hold(const fs::path& file) {
    Held& held = held_[file.native()];
    if (auto shared = held.hold.lock()) return shared;
    const std::uint64_t number = held.number = ++holds_;
    // Owns no object: only its deleter matters.
    std::shared_ptr<const void> made(&holds_, [copies = shared_from_this(), file, number](
                                                  const void*) { copies->release(file, number); });
    held.hold = made;
    return made;
  }

 private:
  struct Held {
    std::weak_ptr<const void> hold;
    std::uint64_t number = 0;
  };

  void release(const fs::path& file, std::uint64_t number) {
    const std::scoped_lock lock(mutex);
    const auto held = held_.find(file.native());
    if (held == held_.end() || held->second.number != number) return;
    held_.erase(held);
    ::unlink(file.c_str());
  }

  std::map<std::string, Held> held_;  // by path; guarded by mutex, as holds_ is
  std::uint64_t holds_ = 0;
};

StageDirectory::StageDirectory(fs::path path, FileDescriptor directory)
    : path_(std::move(path)),
      directory_(std::move(directory)),
      copies_(std::make_shared<Copies>()) {}

std::expected<StageDirectory, PluginError> StageDirectory::open(
    const std::optional<fs::path>& base) {
  if (base) return open_below(*base);
  const std::vector<fs::path> bases = usual_bases();
  for (const fs::path& usual : bases)
    if (auto opened = open_below(usual)) return opened;
  return refuse(PluginFault::noexec_mount, bases.back(),
                "no folder for private copies: none of XDG_RUNTIME_DIR, /dev/shm, TMPDIR and /tmp "
                "allows both writing files and running code",
                "set TMPDIR to a folder on a file system that is not mounted noexec");
}

std::expected<StageDirectory, PluginError> StageDirectory::open_below(const fs::path& base) {
  if (forbids_code(base))
    return refuse(PluginFault::noexec_mount, base,
                  "its file system is mounted noexec, so no code can be loaded from it",
                  "choose a folder on another file system");
  remove_leftovers(base);
  // Another process may remove a folder as a leftover before it is locked; then another one is
  // created.
  constexpr int tries = 16;
  for (int i = 0; i < tries; ++i) {
    std::string path = (fs::absolute(base) / prefix).string() + "XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
      return refuse_errno(base, "no folder for private copies can be created in it", errno);
    FileDescriptor folder = open_folder(path);
    if (folder && lock_folder(folder, path)) return StageDirectory(path, std::move(folder));
  }
  return refuse_errno(base, "its private folders disappear as they are created", EAGAIN);
}

StageDirectory::~StageDirectory() {
  if (directory_) remove_folder(path_);
}

std::expected<StagedCopy, PluginError> StageDirectory::put(const TrustedFile& file) const {
  WEIR_ASSERT(!file.sha256.empty() && !file.sha256.contains('/'));  // the copy is in the folder
  const fs::path copy = path_ / (file.sha256 + ".so");
  const std::scoped_lock lock(copies_->mutex);
  const auto held = [&] { return StagedCopy(copy, copies_->hold(copy)); };
  if (::access(copy.c_str(), F_OK) == 0) return held();
  // Written under another name and renamed: a process that sees the copy sees all of it.
  std::string unfinished = (path_ / "copy-XXXXXX").string();
  const FileDescriptor out(::mkostemp(unfinished.data(), O_CLOEXEC));
  const auto refuse_copy = [&](int error) {
    ::unlink(unfinished.c_str());
    return refuse_errno(
        path_, fmt::format("the private copy in {} cannot be written", path_.native()), error);
  };
  if (!out) return refuse_copy(errno);
  for (std::string_view rest = file.bytes; !rest.empty();) {
    const ssize_t count = ::write(out.fd(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refuse_copy(errno);
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fchmod(out.fd(), S_IRUSR | S_IXUSR) != 0 || ::rename(unfinished.c_str(), copy.c_str()) != 0)
    return refuse_copy(errno);
  return held();
}

}  // namespace weir
