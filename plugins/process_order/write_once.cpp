#include "write_once.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace process_order {
namespace {

namespace fs = std::filesystem;

struct Closer {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

[[noreturn]] void fail(const char* what, const fs::path& path) {
  const int error = errno;
  throw std::system_error(error, std::generic_category(), what + (" " + path.string()));
}

/// What the file holds; nullopt when there is none.
std::optional<std::string> contents(const fs::path& path) {
  const File file(std::fopen(path.c_str(), "re"));
  if (!file) {
    if (errno != ENOENT) fail("cannot open", path);
    return std::nullopt;
  }
  std::string text;
  std::array<char, 4096> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    text.append(buffer.data(), size);
  }
  if (std::ferror(file.get()) != 0) fail("cannot read", path);
  return text;
}

/// Writes a file that must not exist yet, and waits until the disk has it.
void write_durably(const fs::path& path, std::string_view text) {
  const File file(std::fopen(path.c_str(), "wxe"));
  if (!file) fail("cannot create", path);
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                       std::fflush(file.get()) == 0 && ::fsync(::fileno(file.get())) == 0;
  if (written) return;
  const int error = errno;
  ::unlink(path.c_str());  // on a full disk every byte counts
  errno = error;
  fail("cannot write", path);
}

fs::path unfinished_copy(const fs::path& pending, const std::string& name) {
  std::random_device random;
  return pending / (name + "." + std::to_string(random()) + "-" + std::to_string(random()));
}

/// Removes what this and earlier calls for `name` left. Only once the file itself is in place: a
/// writer that loses its copy here finds the file instead.
void remove_unfinished(const fs::path& pending, const std::string& name) {
  std::error_code ignored;  // the next call retries
  for (fs::directory_iterator entry(pending, ignored), end; entry != end;
       entry.increment(ignored)) {
    std::error_code gone;
    if (entry->path().filename().string().starts_with(name + ".")) fs::remove(entry->path(), gone);
  }
}

}  // namespace

std::string write_once(const fs::path& folder, const std::string& name, std::string_view text) {
  const fs::path target = folder / name;
  const fs::path pending = folder / ".pending";
  if (!contents(target)) {
    if (::mkdir(pending.c_str(), 0777) != 0 && errno != EEXIST)
      fail("cannot create the folder", pending);
    const fs::path copy = unfinished_copy(pending, name);
    write_durably(copy, text);
    // link() refuses to replace. ENOENT: another writer put its file in place and removed this
    // copy.
    if (::link(copy.c_str(), target.c_str()) != 0 && errno != EEXIST && errno != ENOENT) {
      fail("cannot put into place", target);
    }
  }
  sync_folder(folder);  // also for a file that was found: its writer may have died before this line
  remove_unfinished(pending, name);
  if (auto settled = contents(target)) return *std::move(settled);
  errno = ENOENT;
  fail("cannot find what was just written:", target);
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("cannot open the folder", folder);
  const bool synced = ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (!synced) fail("cannot sync the folder", folder);
}

}  // namespace process_order
