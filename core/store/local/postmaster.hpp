#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace weir::local {

/// The contents of a server's postmaster.pid in its data folder. The file may be left over from a
/// server that has ended, and its pid may be in use by another process: see any_process_in.
struct PidFile {
  pid_t pid = 0;
  std::string status;  ///< "starting", "ready", "stopping"; empty until it is written
};

std::optional<PidFile> read_pid_file(const std::filesystem::path& data);

/// Whether `folder` is the working directory of that process; false for one that has ended or that
/// we may not inspect.
bool works_in_folder(pid_t process, const std::filesystem::path& folder);

/// The processes whose working directory is `folder`. The data folder is that of every process of a
/// server, orphans included, so this is more reliable than a pid file: pids are reused, and zombies
/// have one too.
std::vector<pid_t> processes_in(const std::filesystem::path& folder);

/// Whether there is any.
bool any_process_in(const std::filesystem::path& folder);

}  // namespace weir::local
