#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/file_descriptor.hpp"
#include "cli/commands.hpp"
#include "cli/init_files.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

Error cannot(std::string_view what, const fs::path& path, std::string_view why) {
  return {.code = ErrorCode::unavailable,
          .kind = "cannot_write",
          .message = fmt::format("cannot {} {}: {}", what, path.string(), why),
          .hint = {}};
}

// With a mode of its own, whatever the umask: plugins in a folder that others may write are
// refused.
Result<void> make_folder(const fs::path& folder) {
  constexpr mode_t mode = 0755;
  if (fs::is_directory(folder)) return {};
  if (::mkdir(folder.c_str(), mode) == 0 && ::chmod(folder.c_str(), mode) == 0) return {};
  return std::unexpected(cannot("make the folder", folder, std::strerror(errno)));
}

Result<void> make_folders(const fs::path& folder) {
  if (folder.has_parent_path() && !fs::exists(folder.parent_path()))
    if (auto made = make_folders(folder.parent_path()); !made) return made;
  return make_folder(folder);
}

// Never over a file that is there, also when it appeared this very moment.
Result<void> write_new(const fs::path& path, std::string_view text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return std::unexpected(cannot("write", path, std::strerror(errno)));
  while (!text.empty()) {
    const ssize_t written = ::write(file.fd(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return std::unexpected(cannot("write", path, std::strerror(errno)));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

ExitCode run(const Init& command, const Globals&, Console& console) {
  std::error_code ec;
  const fs::path folder = fs::absolute(command.folder, ec).lexically_normal();
  const fs::path root = folder.has_filename() ? folder : folder.parent_path();
  std::vector<std::string> there;
  for (const InitFile& file : init_files())
    if (fs::exists(fs::symlink_status(root / file.name, ec)))
      there.push_back((command.folder / file.name).lexically_normal().string());
  if (!there.empty())
    return console.fail(Error{
        .code = ErrorCode::conflict,
        .kind = "files_exist",
        .message = fmt::format("already there: {}; nothing was written", fmt::join(there, ", ")),
        .hint = "name another folder, or move them away"});

  if (const auto made = make_folders(root / "plugins"); !made) return console.fail(made.error());
  for (const InitFile& file : init_files()) {
    const fs::path path = root / file.name;
    if (const auto made = make_folders(path.parent_path()); !made)
      return console.fail(made.error());
    if (const auto written = write_new(path, file.text); !written)
      return console.fail(written.error());
    console.print(
        fmt::format("wrote {}\n", (command.folder / file.name).lexically_normal().string()));
  }
  const bool here = root == fs::current_path(ec);
  console.print(
      fmt::format("\nNext:\n{}  cmake -S src -B build && cmake --build build\n  weir flows list\n",
                  here ? "" : fmt::format("  cd {}\n", command.folder.string())));
  return ExitCode::ok;
}

}  // namespace weir::cli
